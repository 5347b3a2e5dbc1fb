#!/bin/bash
# Run by the one-shot service search-account, in the image of Elasticsearch because that has curl: makes the account that
# Onward uses, which may touch Onward's indices only. Running it again changes the password to the one in .env.
set -euo pipefail
: "${ELASTIC_PASSWORD:?}" "${ONWARD_SEARCH_PASSWORD:?}"

# The passwords go in by standard input: arguments are seen by every process.
call() { # PATH BODY
  printf 'user = "elastic:%s"\n' "$ELASTIC_PASSWORD" |
    curl -fsS -K - -X PUT -H 'Content-Type: application/json' --data-binary @<(printf '%s' "$2") "http://elasticsearch:9200$1"
  echo
}

call /_security/role/onward '{
  "cluster": ["monitor"],
  "indices": [{"names": ["'"${ONWARD_INDEX_PREFIX:-}"'opportunities*"], "privileges": ["all"]}]
}'
call /_security/user/onward '{"roles": ["onward"], "password": "'"$ONWARD_SEARCH_PASSWORD"'"}'
