#!/usr/bin/env bash
# Registers the application for a mailbox with the Azure CLI: This computer.
#
#   bash 2-register-azure-cli.sh
#
# Safe to run twice: it finds its own application by its tag and changes only what differs. After the first run wait a minute before
# the next. No secret is in this file. Written by mailauth.
# The backticks are JMESPath's, not the shell's; a value may hold curly quotes.
# shellcheck disable=SC2016,SC1112
set -euo pipefail

tag='mailauth:0dd82498-3bac-4ab1-be9d-87280c648143'
graph_url='https://localhost:45047/graph'
go_on='mailauth setup --resume --mailbox bob@contoso.example --client-id CLIENT-ID --sandbox'

say() { printf '%s\n' "$*" >&2; }
stop() {
  printf 'STOP: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

[ $# -eq 0 ] || stop "Unknown option: $1"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One call of Microsoft Graph: graph tsv|json METHOD PATH QUERY [FILE]. QUERY is JMESPath; tsv gives a line for each row.
graph() {
  local arguments
  arguments=(--method "$2" --url "$graph_url/v1.0/$3" --resource "$graph_url" --output "$1")
  if [ -n "$4" ]; then arguments+=(--query "$4"); fi
  if [ $# -gt 4 ]; then arguments+=(--headers 'Content-Type=application/json' --body "@$5"); fi
  az rest "${arguments[@]}" | tr -d '\r'
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
  printf '%s\n' "${text//"$2"/$3}" >"$1"
}

# Who is signed in, and where.
command -v az >/dev/null || stop 'The Azure CLI is not installed.' 'See https://aka.ms/installazurecli, or use 3-register-graph.ps1.'
tenant_id=$(az account show --query tenantId --output tsv 2>/dev/null | tr -d '\r') || stop 'Nobody is signed in to the Azure CLI.' 'az login --allow-no-subscriptions --tenant '\''5a4db0c5-c0de-4a11-b0b5-c0ffee000365'\'''
[ "$tenant_id" = '5a4db0c5-c0de-4a11-b0b5-c0ffee000365' ] || stop "The Azure CLI is signed in to the tenant $tenant_id." 'az login --allow-no-subscriptions --tenant '\''5a4db0c5-c0de-4a11-b0b5-c0ffee000365'\'''

# What Microsoft Graph is sent.
cat >"$work/application.json" <<'END_OF_JSON'
{
  "displayName": "mailauth this-computer bob@contoso.example",
  "signInAudience": "AzureADMyOrg",
  "isFallbackPublicClient": false,
  "publicClient": {
    "redirectUris": [
      "http://localhost"
    ]
  },
  "web": {
    "redirectUris": [],
    "implicitGrantSettings": {
      "enableAccessTokenIssuance": false,
      "enableIdTokenIssuance": false
    }
  },
  "requiredResourceAccess": [
    {
      "resourceAppId": "00000003-0000-0000-c000-000000000000",
      "resourceAccess": [
        {
          "id": "37f7f235-527c-4136-accd-4a02d197296e",
          "type": "Scope"
        },
        {
          "id": "14dad69e-099b-42c9-810b-d002981feec1",
          "type": "Scope"
        },
        {
          "id": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
          "type": "Scope"
        },
        {
          "id": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
          "type": "Scope"
        },
        {
          "id": "652390e4-393a-48de-9484-05f9b1212954",
          "type": "Scope"
        },
        {
          "id": "d7b7f2d9-0f45-4ea1-9d42-e50810c06991",
          "type": "Scope"
        },
        {
          "id": "258f6531-6087-4cc4-bb90-092c5fb3ed3f",
          "type": "Scope"
        }
      ]
    },
    {
      "resourceAppId": "00000002-0000-0ff1-ce00-000000000000",
      "resourceAccess": [
        {
          "id": "195adc35-e27b-454b-a7ed-1ecdffa1c09f",
          "type": "Scope"
        },
        {
          "id": "fb698133-92fa-453e-a9ed-688e10f2e5ac",
          "type": "Scope"
        },
        {
          "id": "76faac2a-0f20-42f1-928a-50de5b9dbe52",
          "type": "Scope"
        }
      ]
    }
  ],
  "tags": [
    "mailauth:0dd82498-3bac-4ab1-be9d-87280c648143"
  ]
}
END_OF_JSON
cat >"$work/service-principal.json" <<'END_OF_JSON'
{
  "appId": "@APP_ID@"
}
END_OF_JSON
cat >"$work/grant-graph.json" <<'END_OF_JSON'
{
  "clientId": "@CLIENT_SP_ID@",
  "consentType": "AllPrincipals",
  "principalId": null,
  "resourceId": "@RESOURCE_SP_ID@",
  "scope": "openid profile email offline_access IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send"
}
END_OF_JSON
cat >"$work/grant-exchange.json" <<'END_OF_JSON'
{
  "clientId": "@CLIENT_SP_ID@",
  "consentType": "AllPrincipals",
  "principalId": null,
  "resourceId": "@RESOURCE_SP_ID@",
  "scope": "IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send"
}
END_OF_JSON

# For an application that is there already: is it as planned, and what has to be sent if not (JMESPath).
as_planned='displayName == `"mailauth this-computer bob@contoso.example"` && signInAudience == `"AzureADMyOrg"` && not_null(isFallbackPublicClient, `false`) == `false` && contains(not_null(publicClient.redirectUris, `[]`), `"http://localhost"`) && !contains(not_null(web.redirectUris, `[]`), `"http://localhost"`) && not_null(web.implicitGrantSettings.enableAccessTokenIssuance, `false`) == `false` && not_null(web.implicitGrantSettings.enableIdTokenIssuance, `false`) == `false` && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"37f7f235-527c-4136-accd-4a02d197296e"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"14dad69e-099b-42c9-810b-d002981feec1"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"7427e0e9-2fba-42fe-b0c0-848c9e6a8182"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"652390e4-393a-48de-9484-05f9b1212954"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"d7b7f2d9-0f45-4ea1-9d42-e50810c06991"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"258f6531-6087-4cc4-bb90-092c5fb3ed3f"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[].id, `[]`), `"195adc35-e27b-454b-a7ed-1ecdffa1c09f"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[].id, `[]`), `"fb698133-92fa-453e-a9ed-688e10f2e5ac"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[].id, `[]`), `"76faac2a-0f20-42f1-928a-50de5b9dbe52"`)'
merged='{displayName: `"mailauth this-computer bob@contoso.example"`, signInAudience: `"AzureADMyOrg"`, isFallbackPublicClient: `false`, publicClient: {redirectUris: [not_null(publicClient.redirectUris, `[]`)[?!contains(`["http://localhost"]`, @)], `["http://localhost"]`][]}, web: {redirectUris: [not_null(web.redirectUris, `[]`)[?!contains(`["http://localhost"]`, @)], `[]`][], implicitGrantSettings: `{"enableAccessTokenIssuance":false,"enableIdTokenIssuance":false}`}, requiredResourceAccess: [not_null(requiredResourceAccess, `[]`)[?!contains(`["00000003-0000-0000-c000-000000000000","00000002-0000-0ff1-ce00-000000000000"]`, resourceAppId)], [{resourceAppId: `"00000003-0000-0000-c000-000000000000"`, resourceAccess: [not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[], `[]`)[?!contains(`["37f7f235-527c-4136-accd-4a02d197296e","14dad69e-099b-42c9-810b-d002981feec1","64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0","7427e0e9-2fba-42fe-b0c0-848c9e6a8182","652390e4-393a-48de-9484-05f9b1212954","d7b7f2d9-0f45-4ea1-9d42-e50810c06991","258f6531-6087-4cc4-bb90-092c5fb3ed3f"]`, id)], `[{"id":"37f7f235-527c-4136-accd-4a02d197296e","type":"Scope"},{"id":"14dad69e-099b-42c9-810b-d002981feec1","type":"Scope"},{"id":"64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0","type":"Scope"},{"id":"7427e0e9-2fba-42fe-b0c0-848c9e6a8182","type":"Scope"},{"id":"652390e4-393a-48de-9484-05f9b1212954","type":"Scope"},{"id":"d7b7f2d9-0f45-4ea1-9d42-e50810c06991","type":"Scope"},{"id":"258f6531-6087-4cc4-bb90-092c5fb3ed3f","type":"Scope"}]`][]}, {resourceAppId: `"00000002-0000-0ff1-ce00-000000000000"`, resourceAccess: [not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[], `[]`)[?!contains(`["195adc35-e27b-454b-a7ed-1ecdffa1c09f","fb698133-92fa-453e-a9ed-688e10f2e5ac","76faac2a-0f20-42f1-928a-50de5b9dbe52"]`, id)], `[{"id":"195adc35-e27b-454b-a7ed-1ecdffa1c09f","type":"Scope"},{"id":"fb698133-92fa-453e-a9ed-688e10f2e5ac","type":"Scope"},{"id":"76faac2a-0f20-42f1-928a-50de5b9dbe52","type":"Scope"}]`][]}]][], tags: [not_null(tags, `[]`)[?!contains(`["mailauth:0dd82498-3bac-4ab1-be9d-87280c648143"]`, @)], `["mailauth:0dd82498-3bac-4ab1-be9d-87280c648143"]`][]}'

# The ids of Exchange Online's permissions, as this tenant publishes them.
use_id() {
  [ "$1" = "$2" ] || say "Exchange Online publishes another id here than usual: $2 instead of $1"
  replace_in "$work/application.json" "$1" "$2"
  as_planned=${as_planned//"$1"/$2}
  merged=${merged//"$1"/$2}
}
exchange_sp=''
seen=' '
published=$(graph tsv get 'servicePrincipals?$filter=appId%20eq%20'\''00000002-0000-0ff1-ce00-000000000000'\''&$select=id,oauth2PermissionScopes' '[value[].[`"id"`, id], value[].oauth2PermissionScopes[] | [?contains(`["IMAP.AccessAsUser.All","POP.AccessAsUser.All","SMTP.Send"]`, value)].[value, id]][]') || stop 'Exchange Online cannot be looked up in this tenant.'
while IFS=$'\t' read -r name id; do
  [ -z "$name" ] || is_id "$id" || stop "Exchange Online answered with an unreadable id for $name."
  case $name in
    id) exchange_sp=$id ;;
    'IMAP.AccessAsUser.All') use_id '195adc35-e27b-454b-a7ed-1ecdffa1c09f' "$id"; seen="$seen$name " ;;
    'POP.AccessAsUser.All') use_id 'fb698133-92fa-453e-a9ed-688e10f2e5ac' "$id"; seen="$seen$name " ;;
    'SMTP.Send') use_id '76faac2a-0f20-42f1-928a-50de5b9dbe52' "$id"; seen="$seen$name " ;;
  esac
done <<<"$published"
[ -n "$exchange_sp" ] || stop 'This tenant has no Exchange Online. Is it the right tenant?'
wanted='IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send'
for name in $wanted; do
  case $seen in
    *" $name "*) ;;
    *) stop "Exchange Online does not offer the permission $name in this tenant." ;;
  esac
done

# The application: found by its tag, never by its name.
found=$(graph tsv get 'applications?$filter=tags/any(t:t%20eq%20'\''mailauth%3A0dd82498-3bac-4ab1-be9d-87280c648143'\'')&$select=id,appId' 'value[].[id, appId]') ||
  stop 'The applications of this tenant cannot be listed.'
case $found in
  '')
    found=$(graph tsv post applications '[[id, appId]]' "$work/application.json") ||
      stop 'The application was not made. It takes one of these roles: Application Developer, Cloud Application Administrator, Application Administrator.'
    state=made
    ;;
  *$'\n'*) stop "More than one application carries the tag $tag. Somebody copied it: compare them in the portal." ;;
  *) state=found ;;
esac
IFS=$'\t' read -r object_id client_id <<<"$found"
is_id "$object_id" || stop 'Microsoft Graph answered with an unreadable id.'
is_id "$client_id" || stop 'Microsoft Graph answered with an unreadable id.'
if [ "$state" = found ]; then
  case $(graph tsv get "applications/$object_id" "$as_planned") in
    [Tt]rue) ;;
    *)
      graph json get "applications/$object_id" "$merged" >"$work/patch.json"
      graph tsv patch "applications/$object_id" '' "$work/patch.json" || stop 'The application cannot be changed. Does it belong to somebody else?'
      state=changed
      ;;
  esac
fi
say "Application $client_id: $state"

# Its presence in this tenant.
find_sp() { graph tsv get "servicePrincipals?\$filter=appId%20eq%20'$1'&\$select=id" 'value[].id'; }
client_sp=$(find_sp "$client_id") || stop 'The service principals of this tenant cannot be listed.'
if [ -z "$client_sp" ]; then
  replace_in "$work/service-principal.json" '@APP_ID@' "$client_id"
  client_sp=$(patiently graph tsv post servicePrincipals 'id' "$work/service-principal.json") || stop "The service principal was not made. The application $client_id is there: run this again."
  say 'Service principal: made'
fi
is_id "$client_sp" || stop 'Microsoft Graph answered with an unreadable id.'

# Consent for the whole tenant: one grant for each service, widened where it is too narrow.
refused() {
  stop 'The application is there, but consent was refused. It takes one of these roles: Cloud Application Administrator, Application Administrator, Privileged Role Administrator, Global Administrator.' \
    'Somebody who has it runs this script again, or presses "Grant admin consent" on this page:' 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/'"$client_id/isMSAApp~/false"
}
grant() {
  local resource=$1 file=$2 has id scopes scope missing=''
  shift 2
  is_id "$resource" || stop 'A service that consent is needed for is not in this tenant.'
  has=$(patiently graph tsv get "oauth2PermissionGrants?\$filter=clientId%20eq%20'$client_sp'%20and%20consentType%20eq%20'AllPrincipals'" \
    "value[?resourceId == '$resource'].[id, scope]") || refused
  if [ -z "$has" ]; then
    replace_in "$file" '@CLIENT_SP_ID@' "$client_sp"
    replace_in "$file" '@RESOURCE_SP_ID@' "$resource"
    patiently graph tsv post oauth2PermissionGrants '' "$file" || refused
    say "Consent: given for $*"
    return
  fi
  IFS=$'\t' read -r id scopes <<<"$has"
  case $scopes in *[!A-Za-z0-9._\ -]*) stop 'The present consent names a permission that cannot be read.' ;; esac
  for scope in "$@"; do
    case " $scopes " in *" $scope "*) ;; *) missing="$missing $scope" ;; esac
  done
  [ -n "$missing" ] || return 0
  printf '{"scope":"%s"}\n' "$scopes$missing" >"$work/widen.json"
  graph tsv patch "oauth2PermissionGrants/$id" '' "$work/widen.json" || refused
  say "Consent: given for$missing"
}
graph_sp=$(find_sp '00000003-0000-0000-c000-000000000000') || stop 'Microsoft Graph cannot be looked up in this tenant.'
grant "$graph_sp" "$work/grant-graph.json" 'openid' 'profile' 'email' 'offline_access' 'IMAP.AccessAsUser.All' 'POP.AccessAsUser.All' 'SMTP.Send'
grant "$exchange_sp" "$work/grant-exchange.json" 'IMAP.AccessAsUser.All' 'POP.AccessAsUser.All' 'SMTP.Send'

printf '\n%s\n  %s\n  %s\n' 'Done. Send this back, none of it is secret:' "Application (client) ID: $client_id" "Directory (tenant) ID:   $tenant_id"
printf '%s\n  %s\n' 'They go on with:' "${go_on//CLIENT-ID/$client_id}"
