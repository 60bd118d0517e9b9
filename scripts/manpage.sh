#!/bin/sh
# The manual page, made from what the program says of itself. usage: manpage.sh PROGRAM
set -eu
program=$1
help() { "$program" --lang en help "$@"; }
roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"; }

cat <<END
.TH PUENTE 1 "" "puente $("$program" --lang en version | sed -n '1s/.* //p')"
.SH NAME
puente \- interoperability bridge between government registries
.SH SYNOPSIS
.B puente
[\-\-config FILE] [\-\-json] [\-\-quiet] [\-\-lang es|en] [\-\-log text|json] [\-\-verbose] COMMAND
.SH DESCRIPTION
Pulls records from registries through connectors, maps them by declarative files to one model of cases and persons, finds
which records are the same person and the same case, and keeps one consolidated store in which every value knows its origin.
.SH COMMANDS
END
help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' | while read -r command; do
  printf '.SS %s\n.nf\n' "$command"
  help "$command" | roff
  printf '.fi\n'
done
cat <<'END'
.SH ENVIRONMENT
.TP
PUENTE_CONFIG
the configuration, where \-\-config is absent; else ./puente.yaml
.TP
PUENTE_ACTOR
who acts, for the audit log: what is done by hand needs a named person; else who called sudo, else the login name
.TP
PUENTE_DATA
the folder of the program's own model, code lists and rules
.SH EXIT STATUS
0 done, 1 failed, 2 usage or configuration, 3 partly done (a source failed, the others went through).
.SH FILES
puente.yaml, sources/, mappings/, puente.key: the workspace that \fBpuente init\fR makes.
END
