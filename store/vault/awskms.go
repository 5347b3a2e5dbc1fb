package vault

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"onward"
)

// awsScheme begins the URI of a key of AWS KMS, as Tink writes it.
const awsScheme = "aws-kms://"

// awsKey is a key of AWS KMS. The credentials are those that AWS' own tools find; AWS_ENDPOINT_URL_KMS names another server with its API.
type awsKey struct {
	client *kms.Client
	name   string
	failed error // what the KMS said, which Tink makes a text of
}

// awsKeyName is the ARN in the URI of a key.
func awsKeyName(uri string) (arn.ARN, error) {
	text, ok := strings.CutPrefix(uri, awsScheme)
	name, err := arn.Parse(text)
	if !ok || err != nil || name.Service != "kms" || name.Region == "" || !strings.HasPrefix(name.Resource, "key/") && !strings.HasPrefix(name.Resource, "alias/") {
		return name, onward.Errorf(onward.EInvalid, "name the key of the KMS as %sarn:aws:kms:REGION:ACCOUNT:key/ID; AWS KMS and servers with its API are known", awsScheme)
	}
	return name, nil
}

func openAWSKey(ctx context.Context, uri string) (*awsKey, error) {
	name, err := awsKeyName(uri)
	if err != nil {
		return nil, err
	}
	settings, err := config.LoadDefaultConfig(ctx, config.WithRegion(name.Region))
	if err != nil {
		return nil, errKMS(onward.EInvalid, uri, "the settings for AWS can't be read; look at the AWS_ variables and ~/.aws/config").Because(err)
	}
	// Asked for apart, since later on nobody could tell a missing role from a network that is away.
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		return nil, errKMS(onward.EUnavailable, uri, "there are no credentials for AWS; give this machine a role, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY").Because(err)
	}
	return &awsKey{client: kms.NewFromConfig(settings), name: name.String()}, nil
}

// purpose is told to the KMS, which logs it, and can be required by the policy of the key.
func purpose(associatedData []byte) map[string]string {
	return map[string]string{"onward": string(associatedData)}
}

// EncryptWithContext encrypts up to 4 KiB: a few dozen keys.
func (k *awsKey) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	out, err := k.client.Encrypt(ctx, &kms.EncryptInput{KeyId: &k.name, Plaintext: plaintext, EncryptionContext: purpose(associatedData)})
	if err != nil {
		k.failed = err
		return nil, err
	}
	return out.CiphertextBlob, nil
}

// DecryptWithContext decrypts what this key encrypted, and no other.
func (k *awsKey) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	out, err := k.client.Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(k.name), CiphertextBlob: ciphertext, EncryptionContext: purpose(associatedData)})
	if err != nil {
		k.failed = err
		return nil, err
	}
	return out.Plaintext, nil
}

// awsError says what to do about an error of the KMS.
func awsError(uri string, err error) error {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return errKMS(onward.EUnavailable, uri, "the KMS does not answer; nothing starts without it. Look at the network, then start again").Because(err)
	}
	switch answer.ErrorCode() {
	case "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "InvalidClientTokenId":
		return errKMS(onward.EUnavailable, uri, "the KMS refuses these credentials; allow them kms:Decrypt of this key, and kms:Encrypt for 'onward keys'").Because(err)
	case "NotFoundException":
		return errKMS(onward.EInvalid, uri, "there is no such key; look at its ARN").Because(err)
	case "DisabledException", "KMSInvalidStateException":
		return errKMS(onward.EUnavailable, uri, "the key is disabled, or to be deleted; enable it, without it nobody opens what is sealed").Because(err)
	case "InvalidCiphertextException", "IncorrectKeyException":
		return errKMS(onward.EInvalid, uri, "this is not the key that encrypted these keys; name the one that did").Because(err)
	default:
		return errKMS(onward.EUnavailable, uri, "the KMS answers %s; try again", answer.ErrorCode()).Because(err)
	}
}
