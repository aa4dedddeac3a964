import { comparableTenant, fileNames, type HandoffRequest } from './handoff-request.ts';
import { quoteBash } from './quoting.ts';

/** Names of `az cloud list`; GCC High and DoD are one there. A laboratory has none. */
const azureClouds: Readonly<Record<string, string>> = {
  public: 'AzureCloud',
  usgov: 'AzureUSGovernment',
  'usgov-dod': 'AzureUSGovernment',
  china: 'AzureChinaCloud',
};

/** Everything before the first call: the options, the values and what each later part uses. */
export function azureCliFrame({ plan, cloud, goOn, title }: HandoffRequest): string {
  const wantsSecret = plan.secretMonths !== undefined;
  const options = wantsSecret ? ' [--with-secret]' : '';
  return `\
#!/usr/bin/env bash
# Registers the application for a mailbox with the Azure CLI: ${comment(title)}.
#
#   bash ${fileNames.azureCli}${options}
#
# Safe to run twice: it finds its own application by its tag and changes only what differs. After the first run wait a minute before
# the next. No secret is in this file.${wantsSecret ? ' --with-secret makes one more client secret if the first was lost.' : ''} Written by mailauth.
# The backticks are JMESPath's, not the shell's; a value may hold curly quotes.
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

# Tries again for a minute and a half while the directory does not know its new object everywhere.
patiently() {
  local pause
  for pause in 2 4 8 15 15 15 15 15 0; do
    if "$@" 2>"$work/refusal"; then return 0; fi
    grep -Eq 'NoBackingApplicationObject|Request_ResourceNotFound|Directory_ObjectNotFound|in the local tenant' "$work/refusal" || break
    [ "$pause" != 0 ] || break
    say "The directory does not show the new object everywhere yet; again in $pause s"
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
}

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

/** The right program, cloud and tenant, before anything is asked or changed. */
export function signedInTo(request: HandoffRequest): string {
  const tenant = comparableTenant(request);
  const azureCloud = azureClouds[request.cloud.name];
  const signIn = `az login --allow-no-subscriptions --tenant ${quoteBash(request.tenantId)}`;
  return `\
# Who is signed in, and where.
command -v az >/dev/null || stop 'The Azure CLI is not installed.' 'See https://aka.ms/installazurecli, or use ${fileNames.graph}.'
${
  azureCloud === undefined
    ? ''
    : `azure_cloud=$(az cloud show --query name --output tsv | tr -d '\\r')
[ "$azure_cloud" = '${azureCloud}' ] || stop "The Azure CLI is set to the cloud $azure_cloud." 'az cloud set --name ${azureCloud}' ${quoteBash(signIn)}
`
}tenant_id=$(az account show --query tenantId --output tsv 2>/dev/null | tr -d '\\r') || stop 'Nobody is signed in to the Azure CLI.' ${quoteBash(signIn)}
${tenant === undefined ? '' : `[ "$tenant_id" = '${tenant}' ] || stop "The Azure CLI is signed in to the tenant $tenant_id." ${quoteBash(signIn)}\n`}`;
}

/** A comment ends with its line. */
const comment = (text: string): string => text.replace(/\p{C}+/gu, ' ');
