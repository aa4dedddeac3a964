#!/usr/bin/env bash
# Registers the application for a mailbox with the Azure CLI: osTicket.
#
#   bash 2-register-azure-cli.sh [--with-secret]
#
# You can run this script twice: it finds its own application by its tag and changes only what differs. Wait a minute between two
# runs. This file contains no secret. --with-secret makes another client secret, for when the first was lost. Written by mailauth.
# The backticks belong to JMESPath and not to the shell; a value may contain curly quotes.
# shellcheck disable=SC2016,SC1112
set -euo pipefail

tag='mailauth:5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d'
graph_url='https://graph.microsoft.com'
go_on='mailauth setup --for osticket --mailbox helpdesk@contoso.com --register existing --client-id CLIENT-ID'

say() { printf '%s\n' "$*" >&2; }
stop() {
  printf 'STOP: %s\n' "$1" >&2
  shift
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit 1
}

with_secret=no
case ${1-} in
  '') ;;
  --with-secret) with_secret=yes ;;
  *) stop "Unknown option: $1" ;;
esac

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
  printf '%s\n' "${text//"$2"/$3}" >"$1"
}

# Is the Azure CLI signed in, and to the right cloud and tenant?
command -v az >/dev/null || stop 'The Azure CLI is not installed.' 'See https://aka.ms/installazurecli, or use 3-register-graph.ps1.'
azure_cloud=$(az cloud show --query name --output tsv | tr -d '\r')
[ "$azure_cloud" = 'AzureCloud' ] || stop "The Azure CLI is set to the cloud $azure_cloud." 'az cloud set --name AzureCloud' 'az login --allow-no-subscriptions --tenant '\''72f988bf-86f1-41af-91ab-2d7cd011db47'\'''
tenant_id=$(az account show --query tenantId --output tsv 2>/dev/null | tr -d '\r') || stop 'The Azure CLI is not signed in.' 'az login --allow-no-subscriptions --tenant '\''72f988bf-86f1-41af-91ab-2d7cd011db47'\'''
[ "$tenant_id" = '72f988bf-86f1-41af-91ab-2d7cd011db47' ] || stop "The Azure CLI is signed in to the tenant $tenant_id." 'az login --allow-no-subscriptions --tenant '\''72f988bf-86f1-41af-91ab-2d7cd011db47'\'''

# What this script sends to Microsoft Graph.
cat >"$work/application.json" <<'END_OF_JSON'
{
  "displayName": "mailauth osticket helpdesk@contoso.com",
  "signInAudience": "AzureADMyOrg",
  "isFallbackPublicClient": false,
  "publicClient": {
    "redirectUris": []
  },
  "web": {
    "redirectUris": [
      "https://help.contoso.com/api/auth/oauth2"
    ],
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
          "id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
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
    "mailauth:5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d"
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
  "scope": "User.Read offline_access IMAP.AccessAsUser.All POP.AccessAsUser.All SMTP.Send"
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
cat >"$work/password.json" <<'END_OF_JSON'
{
  "passwordCredential": {
    "displayName": "mailauth handoff 5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d",
    "endDateTime": "@END_DATE_TIME@"
  }
}
END_OF_JSON

# For an application that exists already: whether it is as planned, and what to send if it is not (JMESPath).
as_planned='displayName == `"mailauth osticket helpdesk@contoso.com"` && signInAudience == `"AzureADMyOrg"` && not_null(isFallbackPublicClient, `false`) == `false` && contains(not_null(web.redirectUris, `[]`), `"https://help.contoso.com/api/auth/oauth2"`) && !contains(not_null(publicClient.redirectUris, `[]`), `"https://help.contoso.com/api/auth/oauth2"`) && not_null(web.implicitGrantSettings.enableAccessTokenIssuance, `false`) == `false` && not_null(web.implicitGrantSettings.enableIdTokenIssuance, `false`) == `false` && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"e1fe6dd8-ba31-4d61-89e7-88639da4683d"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"7427e0e9-2fba-42fe-b0c0-848c9e6a8182"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"652390e4-393a-48de-9484-05f9b1212954"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"d7b7f2d9-0f45-4ea1-9d42-e50810c06991"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[].id, `[]`), `"258f6531-6087-4cc4-bb90-092c5fb3ed3f"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[].id, `[]`), `"195adc35-e27b-454b-a7ed-1ecdffa1c09f"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[].id, `[]`), `"fb698133-92fa-453e-a9ed-688e10f2e5ac"`) && contains(not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[].id, `[]`), `"76faac2a-0f20-42f1-928a-50de5b9dbe52"`)'
merged='{displayName: `"mailauth osticket helpdesk@contoso.com"`, signInAudience: `"AzureADMyOrg"`, isFallbackPublicClient: `false`, publicClient: {redirectUris: [not_null(publicClient.redirectUris, `[]`)[?!contains(`["https://help.contoso.com/api/auth/oauth2"]`, @)], `[]`][]}, web: {redirectUris: [not_null(web.redirectUris, `[]`)[?!contains(`["https://help.contoso.com/api/auth/oauth2"]`, @)], `["https://help.contoso.com/api/auth/oauth2"]`][], implicitGrantSettings: `{"enableAccessTokenIssuance":false,"enableIdTokenIssuance":false}`}, requiredResourceAccess: [not_null(requiredResourceAccess, `[]`)[?!contains(`["00000003-0000-0000-c000-000000000000","00000002-0000-0ff1-ce00-000000000000"]`, resourceAppId)], [{resourceAppId: `"00000003-0000-0000-c000-000000000000"`, resourceAccess: [not_null(requiredResourceAccess[?resourceAppId == `"00000003-0000-0000-c000-000000000000"`].resourceAccess[], `[]`)[?!contains(`["e1fe6dd8-ba31-4d61-89e7-88639da4683d","7427e0e9-2fba-42fe-b0c0-848c9e6a8182","652390e4-393a-48de-9484-05f9b1212954","d7b7f2d9-0f45-4ea1-9d42-e50810c06991","258f6531-6087-4cc4-bb90-092c5fb3ed3f"]`, id)], `[{"id":"e1fe6dd8-ba31-4d61-89e7-88639da4683d","type":"Scope"},{"id":"7427e0e9-2fba-42fe-b0c0-848c9e6a8182","type":"Scope"},{"id":"652390e4-393a-48de-9484-05f9b1212954","type":"Scope"},{"id":"d7b7f2d9-0f45-4ea1-9d42-e50810c06991","type":"Scope"},{"id":"258f6531-6087-4cc4-bb90-092c5fb3ed3f","type":"Scope"}]`][]}, {resourceAppId: `"00000002-0000-0ff1-ce00-000000000000"`, resourceAccess: [not_null(requiredResourceAccess[?resourceAppId == `"00000002-0000-0ff1-ce00-000000000000"`].resourceAccess[], `[]`)[?!contains(`["195adc35-e27b-454b-a7ed-1ecdffa1c09f","fb698133-92fa-453e-a9ed-688e10f2e5ac","76faac2a-0f20-42f1-928a-50de5b9dbe52"]`, id)], `[{"id":"195adc35-e27b-454b-a7ed-1ecdffa1c09f","type":"Scope"},{"id":"fb698133-92fa-453e-a9ed-688e10f2e5ac","type":"Scope"},{"id":"76faac2a-0f20-42f1-928a-50de5b9dbe52","type":"Scope"}]`][]}]][], tags: [not_null(tags, `[]`)[?!contains(`["mailauth:5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d"]`, @)], `["mailauth:5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d"]`][]}'

# The IDs of Exchange Online's permissions, as this tenant publishes them.
use_id() {
  [ "$1" = "$2" ] || say "Exchange Online publishes an unusual ID here: $2 instead of $1"
  replace_in "$work/application.json" "$1" "$2"
  as_planned=${as_planned//"$1"/$2}
  merged=${merged//"$1"/$2}
}
exchange_sp=''
seen=' '
published=$(graph tsv get 'servicePrincipals?$filter=appId%20eq%20'\''00000002-0000-0ff1-ce00-000000000000'\''&$select=id,oauth2PermissionScopes' '[value[].[`"id"`, id], value[].oauth2PermissionScopes[] | [?contains(`["IMAP.AccessAsUser.All","POP.AccessAsUser.All","SMTP.Send"]`, value)].[value, id]][]') || stop 'The script cannot look up Exchange Online in this tenant.'
while IFS=$'\t' read -r name id; do
  [ -z "$name" ] || is_id "$id" || stop "Exchange Online answered with an unreadable ID for $name."
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

# The application. It is found by its tag, never by its name.
found=$(graph tsv get 'applications?$filter=tags/any(t:t%20eq%20'\''mailauth%3A5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d'\'')&$select=id,appId' 'value[].[id, appId]') ||
  stop 'The script cannot list the applications of this tenant.'
case $found in
  '')
    found=$(graph tsv post applications '[[id, appId]]' "$work/application.json") ||
      stop 'The application was not created. You need one of these roles: Application Developer, Cloud Application Administrator, Application Administrator.'
    state=created
    ;;
  *$'\n'*) stop "More than one application has the tag $tag, so one of them is a copy. Compare them in the portal." ;;
  *) state=found ;;
esac
IFS=$'\t' read -r object_id client_id <<<"$found"
is_id "$object_id" || stop 'Microsoft Graph answered with an unreadable ID.'
is_id "$client_id" || stop 'Microsoft Graph answered with an unreadable ID.'
if [ "$state" = found ]; then
  case $(graph tsv get "applications/$object_id" "$as_planned") in
    [Tt]rue) ;;
    *)
      graph json get "applications/$object_id" "$merged" >"$work/patch.json"
      graph tsv patch "applications/$object_id" '' "$work/patch.json" || stop 'The script cannot change the application. Does it belong to somebody else?'
      state=changed
      ;;
  esac
fi
say "Application $client_id: $state"

# The service principal: the application's presence in this tenant.
find_sp() { graph tsv get "servicePrincipals?\$filter=appId%20eq%20'$1'&\$select=id" 'value[].id'; }
client_sp=$(find_sp "$client_id") || stop 'The script cannot list the service principals of this tenant.'
if [ -z "$client_sp" ]; then
  replace_in "$work/service-principal.json" '@APP_ID@' "$client_id"
  client_sp=$(patiently graph tsv post servicePrincipals 'id' "$work/service-principal.json") || stop "The service principal was not created. The application $client_id exists: run this script again."
  say 'Service principal: created'
fi
is_id "$client_sp" || stop 'Microsoft Graph answered with an unreadable ID.'

# Consent for the whole tenant: one grant for each service. A grant that is too narrow gets the missing permissions.
refused() {
  stop 'The application exists, but consent was refused. You need one of these roles: Cloud Application Administrator, Application Administrator, Privileged Role Administrator, Global Administrator.' \
    'Ask somebody who has such a role to run this script again, or to press "Grant admin consent" on this page:' 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/'"$client_id/isMSAApp~/false"
}
grant() {
  local resource=$1 file=$2 has id scopes scope missing=''
  shift 2
  is_id "$resource" || stop 'This tenant does not have a service that the consent is for.'
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
  case $scopes in *[!A-Za-z0-9._\ -]*) stop 'The present consent names a permission that this script cannot read.' ;; esac
  for scope in "$@"; do
    case " $scopes " in *" $scope "*) ;; *) missing="$missing $scope" ;; esac
  done
  [ -n "$missing" ] || return 0
  printf '{"scope":"%s"}\n' "$scopes$missing" >"$work/widen.json"
  graph tsv patch "oauth2PermissionGrants/$id" '' "$work/widen.json" || refused
  say "Consent: given for$missing"
}
graph_sp=$(find_sp '00000003-0000-0000-c000-000000000000') || stop 'The script cannot look up Microsoft Graph in this tenant.'
grant "$graph_sp" "$work/grant-graph.json" 'User.Read' 'offline_access' 'IMAP.AccessAsUser.All' 'POP.AccessAsUser.All' 'SMTP.Send'
grant "$exchange_sp" "$work/grant-exchange.json" 'IMAP.AccessAsUser.All' 'POP.AccessAsUser.All' 'SMTP.Send'

# The client secret. Its value is printed below and not written to any file.
secret_value=''
has_secret=$(patiently graph tsv get "applications/$object_id?\$select=passwordCredentials" \
  'passwordCredentials[?displayName == `"mailauth handoff 5f0c7f8e-2d3b-4a56-9c1d-0e9f8a7b6c5d"`].keyId') || stop 'The script cannot list the secrets of the application.'
if [ -z "$has_secret" ] || [ "$with_secret" = yes ]; then
  ends=$(date -u -d '+12 months' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+12m +%Y-%m-%dT%H:%M:%SZ)
  replace_in "$work/password.json" '@END_DATE_TIME@' "$ends"
  made=$(patiently graph tsv post "applications/$object_id/addPassword" '[[keyId, secretText]]' "$work/password.json") ||
    stop "The application $client_id exists, but the client secret was refused. A policy of the tenant may forbid secrets or this lifetime."
  IFS=$'\t' read -r secret_id secret_value <<<"$made"
fi

printf '\n%s\n  %s\n  %s\n' 'Done. Send back these two values. They are not secret:' "Application (client) ID: $client_id" "Directory (tenant) ID:   $tenant_id"
printf '%s\n  %s\n' 'The person who asked you continues with:' "${go_on//CLIENT-ID/$client_id}"
if [ -n "$secret_value" ]; then
  printf '\n%s\n%s\n  %s\n  %s\n' "Client secret. It is shown only this once and expires on $ends." \
    'Send it through a password manager, never by mail or chat.' "Value:     $secret_value" "Secret ID: $secret_id (not the value)"
else
  printf '\n%s\n' 'An earlier run made the client secret. It cannot be shown again. If it is lost, run this script with --with-secret.'
fi
