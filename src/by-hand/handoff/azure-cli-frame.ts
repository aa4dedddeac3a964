import { scriptNames } from '../../core/cloud.ts';
import { comparableTenant, fileNames, type HandoffRequest } from './handoff-request.ts';
import { quoteBash } from './script-quoting.ts';

/** Everything before the first call: the options, the values, and the functions that the later parts use. */
export function azureCliFrame({ plan, cloud, goOn, title }: HandoffRequest): string {
  const wantsSecret = plan.secretMonths !== undefined;
  const options = wantsSecret ? ' [--with-secret]' : '';
  return `\
#!/usr/bin/env bash
# Registers the application for a mailbox with the Azure CLI: ${comment(title)}.
#
#   bash ${fileNames.azureCli}${options}
#
# You can run this script twice: it finds its own application by its tag and changes only what differs. Wait a minute between two
# runs. This file contains no secret.${wantsSecret ? ' --with-secret makes another client secret, for when the first was lost.' : ''} Written by mailauth.
# The backticks belong to JMESPath and not to the shell; a value may contain curly quotes.
# shellcheck disable=SC2016,SC1112
set -euo pipefail

tag=${quoteBash(plan.tag)}
graph_url=${quoteBash(cloud.graph)}
go_on=${quoteBash(goOn)}

say() { printf '%s\\n' "$*" >&2; }
stop() {
  printf 'STOP: %s\\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\\n' "$@" >&2
  exit 1
}

${wantsSecret ? withOption : withoutOption}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One call of Microsoft Graph: graph tsv|json METHOD PATH QUERY [FILE]. QUERY is JMESPath; tsv gives a line for each row.
graph() {
  local arguments
  arguments=(--method "$2" --url "$graph_url/v1.0/$3" --resource "$graph_url" --output "$1")
  if [ -n "$4" ]; then arguments+=(--query "$4"); fi
  if [ $# -gt 4 ]; then arguments+=(--headers 'Content-Type=application/json' --body "@$5"); fi
  az rest "\${arguments[@]}" | tr -d '\\r'
}

${patience}`;
}

/** Functions that the later parts call. */
const patience = `\
# Tries again for a minute and a half, because a new object is not visible everywhere in the directory at once.
patiently() {
  local pause
  for pause in 2 4 8 15 15 15 15 15 0; do
    if "$@" 2>"$work/refusal"; then return 0; fi
    grep -Eq 'NoBackingApplicationObject|Request_ResourceNotFound|Directory_ObjectNotFound|in the local tenant' "$work/refusal" || break
    [ "$pause" != 0 ] || break
    say "The new object is not visible everywhere in the directory yet; trying again in $pause s"
    sleep "$pause"
  done
  cat "$work/refusal" >&2
  return 1
}

is_id() { case $1 in '' | *[!0-9A-Za-z_-]*) return 1 ;; esac; }

# replace_in FILE OLD NEW
replace_in() {
  local text
  text=$(cat "$1")
  printf '%s\\n' "\${text//"$2"/$3}" >"$1"
}
`;

const withOption = `\
with_secret=no
case \${1-} in
  '') ;;
  --with-secret) with_secret=yes ;;
  *) stop "Unknown option: $1" ;;
esac
`;

const withoutOption = `\
[ $# -eq 0 ] || stop "Unknown option: $1"
`;

/** Checks the program, the cloud and the tenant before anything is asked or changed. */
export function signedInTo(request: HandoffRequest): string {
  const tenant = comparableTenant(request);
  const azureCloud = scriptNames(request.cloud)?.azureCli;
  const signIn = `az login --allow-no-subscriptions --tenant ${quoteBash(request.tenantId)}`;
  return `\
# Is the Azure CLI signed in, and to the right cloud and tenant?
command -v az >/dev/null || stop 'The Azure CLI is not installed.' 'See https://aka.ms/installazurecli, or use ${fileNames.graph}.'
${
  azureCloud === undefined
    ? ''
    : `azure_cloud=$(az cloud show --query name --output tsv | tr -d '\\r')
[ "$azure_cloud" = '${azureCloud}' ] || stop "The Azure CLI is set to the cloud $azure_cloud." 'az cloud set --name ${azureCloud}' ${quoteBash(signIn)}
`
}tenant_id=$(az account show --query tenantId --output tsv 2>/dev/null | tr -d '\\r') || stop 'The Azure CLI is not signed in.' ${quoteBash(signIn)}
${tenant === undefined ? '' : `[ "$tenant_id" = '${tenant}' ] || stop "The Azure CLI is signed in to the tenant $tenant_id." ${quoteBash(signIn)}\n`}`;
}

/** A comment ends at the end of its line, so no line break may get into it. */
const comment = (text: string): string => text.replace(/\p{C}+/gu, ' ');
