import java.io.IOException;
import java.nio.file.*;
import java.util.*;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.http.HttpServerTransport;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Starts one real Elasticsearch 8 node in this process, from the published jars alone: SearchNode JARS HOME HTTP_PORT.
 * JARS may be shared by nodes, HOME is this node's own.
 */
public class SearchNode {
    public static void main(String[] args) throws Exception {
        if ("1".equals(System.getenv("SEARCH_NODE_STDIN"))) {
            endWithStandardInput();
        }
        Path jars = Path.of(args[0]).toAbsolutePath();
        Path home = Path.of(args[1]).toAbsolutePath();
        System.setProperty("es.path.home", jars.toString());
        System.setProperty("es.logs.base_path", home.resolve("logs").toString());
        System.setProperty("es.logs.cluster_name", "dev");
        Settings settings = Settings.builder()
                .put("path.home", jars.toString())
                .put("path.data", home.resolve("data").toString())
                .put("path.logs", home.resolve("logs").toString())
                .put("cluster.name", "dev").put("node.name", "dev-1")
                .put("discovery.type", "single-node")
                .put("network.host", "127.0.0.1").put("http.port", args[2]).put("transport.port", "0")
                .put("http.type", "netty4").put("transport.type", "netty4")
                .put("cluster.routing.allocation.disk.threshold_enabled", false)
                .build();
        LogConfigurator.registerErrorListener();
        LogConfigurator.loadLog4jPlugins();
        LogConfigurator.setNodeName("dev-1");
        LogConfigurator.configureESLogging();
        LogConfigurator.configureWithoutConfig(settings);
        Environment env = InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "dev-1");
        var modules = PluginsLoader.loadModulesBundles(env.modulesDir());
        Node node = new Node(env, PluginsLoader.createPluginsLoader(modules, Set.of(), Map.of(), false));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> { try { node.close(); } catch (Exception e) { e.printStackTrace(); } }));
        node.start();
        writeAddress(node, home);
        Thread.currentThread().join();
    }

    /** Tells who started the node where it listens: with port 0 only the node knows. */
    private static void writeAddress(Node node, Path home) throws IOException {
        var address = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress();
        Path unfinished = home.resolve("http.address.new");
        Files.writeString(unfinished, address.getAddress() + ":" + address.getPort() + "\n");
        Files.move(unfinished, home.resolve("http.address"), StandardCopyOption.ATOMIC_MOVE);
    }

    private static void endWithStandardInput() {
        Thread watch = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (IOException e) {
                // As good as the end.
            }
            System.exit(0);
        });
        watch.setDaemon(true);
        watch.start();
    }
}
