package testenv

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// KMSServer is a server with the API of AWS KMS, of the test alone. What it holds survives Stop and Start.
type KMSServer struct {
	program, home string
	port          int
	command       *exec.Cmd
}

// The region and the account in which the server has its keys.
const (
	kmsRegion  = "eu-west-2"
	kmsAccount = "111122223333"
)

// KMS starts local-kms, and has this process take it for AWS: no test beside it may need the environment. It is no part of Onward.
func KMS(t *testing.T) *KMSServer {
	t.Helper()
	program, err := exec.LookPath("local-kms")
	if named := os.Getenv("ONWARD_LOCAL_KMS"); named != "" {
		program, err = named, nil
	}
	if err != nil {
		Missing(t, "kms", "go install github.com/nsmithuk/local-kms@v0.0.0-20260228092603-2a5e92d09ab6, or name it by ONWARD_LOCAL_KMS")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &KMSServer{program: program, home: t.TempDir(), port: listener.Addr().(*net.TCPAddr).Port}
	_ = listener.Close()
	t.Cleanup(func() { s.Stop(t) })
	t.Setenv("AWS_ENDPOINT_URL_KMS", s.url())
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	s.Start(t)
	return s
}

func (s *KMSServer) url() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

// Start runs a stopped server again.
func (s *KMSServer) Start(t *testing.T) {
	t.Helper()
	s.command = exec.CommandContext(context.WithoutCancel(t.Context()), s.program)
	s.command.Env = append(os.Environ(), "PORT="+strconv.Itoa(s.port), "KMS_DATA_PATH="+s.home, "KMS_SEED_PATH="+filepath.Join(s.home, "none"), "KMS_REGION="+kmsRegion, "KMS_ACCOUNT_ID="+kmsAccount)
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(s.url())
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(until) {
			t.Fatalf("local-kms does not start: %v", err)
		}
	}
}

// Stop ends it, as in an outage.
func (s *KMSServer) Stop(t *testing.T) {
	t.Helper()
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
	s.command = nil
}

func (s *KMSServer) client() *kms.Client {
	return kms.New(kms.Options{
		Region: kmsRegion, BaseEndpoint: aws.String(s.url()), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
}

// NewKey makes a key, and gives its URI.
func (s *KMSServer) NewKey(t *testing.T) string {
	t.Helper()
	made, err := s.client().CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	return "aws-kms://" + *made.KeyMetadata.Arn
}

// Disable makes a key useless, until Enable.
func (s *KMSServer) Disable(t *testing.T, uri string) {
	t.Helper()
	if _, err := s.client().DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(uri[len("aws-kms://"):])}); err != nil {
		t.Fatal(err)
	}
}
