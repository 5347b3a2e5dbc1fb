#!/bin/sh
# Starts a real single-node Elasticsearch 8 on 127.0.0.1 from the jars that its makers publish on Maven Central.
#
# usage: run.sh HOME [HTTP_PORT]      needs: JDK 17+ and mvn. Stop it with SIGTERM.
#
#   HOME                 this node's data, logs, and the file http.address, written once it listens
#   HTTP_PORT            default 9200; 0 takes a free one
#   SEARCH_NODE_JARS     the downloaded jars, which several nodes may share; default HOME/jars
#   SEARCH_NODE_HEAP     default 1g
#   SEARCH_NODE_JAVA     more options for java; -XX:TieredStopAtLevel=1 starts faster and searches slower
#   SEARCH_NODE_STDIN=1  end when standard input does, so that the node doesn't outlive a parent that was killed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
home=$1 port=${2:-9200} version=8.19.9
mkdir -p "$home/config" "$home/logs" "$home/data"
home=$(cd "$home" && pwd)
jars=${SEARCH_NODE_JARS:-$home/jars}/$version

if [ ! -d "$jars" ]; then
  # Made beside its place and moved there whole: a download that broke off, or two at once, do no harm.
  mkdir -p "${jars%/*}"
  unfinished=$(mktemp -d "${jars%/*}/unfinished.XXXXXX")
  trap 'rm -rf "$unfinished"' EXIT
  module=$unfinished/modules/transport-netty4
  mkdir -p "$module"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -Des.version=$version -DoutputDirectory="$unfinished/lib" </dev/null
  mv "$unfinished"/lib/netty-*.jar "$unfinished"/lib/transport-netty4-*.jar "$module/"
  cat > "$module/plugin-descriptor.properties" <<PROPS
name=transport-netty4
description=Netty 4 based transport implementation
version=$version
elasticsearch.version=$version
java.version=17
classname=org.elasticsearch.transport.netty4.Netty4Plugin
PROPS
  chmod 755 "$unfinished"
  # Should another have put it there just now, the move lands inside it; that copy is removed.
  mv "$unfinished" "$jars"
  rm -rf "$jars/${unfinished##*/}"
  trap - EXIT
fi

rm -f "$home/http.address"
# shellcheck disable=SC2086  # SEARCH_NODE_JAVA holds several words
exec java -Xms256m -Xmx${SEARCH_NODE_HEAP:-1g} -XX:+UseSerialGC -Djava.security.manager=allow ${SEARCH_NODE_JAVA:-} \
  -cp "$jars/lib/*" "$here/SearchNode.java" "$jars" "$home" "$port"
