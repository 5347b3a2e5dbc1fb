#!/bin/sh
# Run once by the postgres image, as superuser, when its data directory is empty. Makes the two logins and the role that
# separates them:
#
#   onward_owner  owns the database and its schema, and runs the migrations
#   onward_app    no login: what every statement of the application runs as, under row-level security
#   onward_login  what `onward serve` and `onward worker` log in as; it may become onward_app and nothing else
#
# On a managed Postgres run the same statements as its administrator.
set -eu
: "${ONWARD_OWNER_PASSWORD:?}" "${ONWARD_LOGIN_PASSWORD:?}"

psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv owner_password ONWARD_OWNER_PASSWORD
\getenv login_password ONWARD_LOGIN_PASSWORD

CREATE ROLE onward_owner LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE onward_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
CREATE ROLE onward_login LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD :'login_password';

GRANT onward_app TO onward_login;
-- The first migration grants onward_app to the owner, who has to be allowed to.
GRANT onward_app TO onward_owner WITH ADMIN OPTION;

ALTER DATABASE :"DBNAME" OWNER TO onward_owner;
ALTER SCHEMA public OWNER TO onward_owner;
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO onward_login;
SQL
