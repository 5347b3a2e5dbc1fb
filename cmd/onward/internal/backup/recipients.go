package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"filippo.io/age"

	"onward"
)

// RecipientsEnv names recipients with spaces or commas between them.
const RecipientsEnv = "ONWARD_BACKUP_RECIPIENTS"

// Recipients reads for whom backups are encrypted: age recipients, and files of them. A passphrase, which is read from a file, stands alone.
func Recipients(given, files []string, passphraseFile string) ([]age.Recipient, error) {
	if passphraseFile != "" {
		if len(given)+len(files) > 0 {
			return nil, onward.Errorf(onward.EInvalid, "use recipients or a passphrase: age takes one or the other")
		}
		text, err := passphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		r, err := age.NewScryptRecipient(text)
		if err != nil {
			return nil, onward.Errorf(onward.EInvalid, "the passphrase can't be used").Because(err)
		}
		return []age.Recipient{r}, nil
	}
	if len(given)+len(files) == 0 {
		given = strings.FieldsFunc(os.Getenv(RecipientsEnv), func(r rune) bool { return r == ' ' || r == ',' || r == '\n' })
	}
	texts := [][]byte{[]byte(strings.Join(given, "\n"))}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, onward.Errorf(onward.ENotFound, "the file of recipients can't be read").Because(err)
		}
		texts = append(texts, text)
	}
	all := bytes.Join(texts, []byte("\n"))
	if len(bytes.TrimSpace(all)) == 0 {
		return nil, errNoRecipients
	}
	list, err := age.ParseRecipients(bytes.NewReader(all))
	if err != nil {
		return nil, onward.Errorf(onward.EInvalid, "recipients are written age1…, one a line; 'onward backup keygen' prints one").Because(err)
	}
	return list, nil
}

// Identities reads what opens backups.
func Identities(files []string, passphraseFile string) (list []age.Identity, err error) {
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, onward.Errorf(onward.ENotFound, "the identity can't be read").Because(err)
		}
		some, err := age.ParseIdentities(bytes.NewReader(text))
		if err != nil {
			return nil, onward.Errorf(onward.EInvalid, "%s is no file of age identities (AGE-SECRET-KEY-1…)", path) // the error might quote it
		}
		list = append(list, some...)
	}
	if passphraseFile != "" {
		text, err := passphrase(passphraseFile)
		if err != nil {
			return nil, err
		}
		i, err := age.NewScryptIdentity(text)
		if err != nil {
			return nil, onward.Errorf(onward.EInvalid, "the passphrase can't be used").Because(err)
		}
		list = append(list, i)
	}
	if len(list) == 0 {
		return nil, onward.Errorf(onward.EInvalid, "say what opens the backup: --identity FILE, as 'onward backup keygen' or age-keygen makes it")
	}
	return list, nil
}

func passphrase(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", onward.Errorf(onward.ENotFound, "the file of the passphrase can't be read").Because(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", onward.Errorf(onward.EInvalid, "the file of the passphrase is empty")
	}
	return line, nil
}

// NewIdentity makes an identity, writes it to a file that is not there yet, and returns its recipient.
func NewIdentity(path string) (recipient string, err error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make an identity: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", onward.Errorf(onward.EConflict, "%s is there already; what was encrypted for it would be lost", path)
	}
	if err != nil {
		return "", fmt.Errorf("write the identity: %w", err)
	}
	_, err = fmt.Fprintf(f, "# public key: %s\n%s\n", identity.Recipient(), identity)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("write the identity: %w", err)
	}
	return identity.Recipient().String(), nil
}
