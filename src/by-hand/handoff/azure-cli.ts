import { quoted } from '../../entra/graph.ts';
import {
  applicationBody,
  type GraphApplicationBody,
  grantBody,
  passwordBody,
  permissionIds,
  resourceIds,
  servicePrincipalBody,
} from '../../entra/manifest.ts';
import { rolesThat } from '../../entra/refusals.ts';
import { azureCliFrame, signedInTo } from './azure-cli-frame.ts';
import { clientIdBlank, grantsConsent, type HandoffRequest, handoffSecretName, hasServicePrincipal } from './handoff-request.ts';
import { asPlanned, merged } from './jmespath.ts';
import { asciiJson, quoteBash } from './script-quoting.ts';

/** Placeholders in the bodies for values that only the running script knows. */
export const blanks = {
  appId: '@APP_ID@',
  clientSpId: '@CLIENT_SP_ID@',
  resourceSpId: '@RESOURCE_SP_ID@',
  endDateTime: '@END_DATE_TIME@',
} as const;

/** The registration as a bash script for the Azure CLI. It sends the same bodies as `--register auto`. Bash 3.2 (macOS) is enough. */
export function azureCliScript(request: HandoffRequest): string {
  const { plan } = request;
  const body = applicationBody(plan);
  return [
    azureCliFrame(request),
    signedInTo(request),
    bodies(request, body),
    questions(body),
    ...(plan.exchangePermissions.length === 0 ? [] : [exchangeIds(plan.exchangePermissions)]),
    application(plan.tag),
    ...(hasServicePrincipal(plan) ? [servicePrincipal] : []),
    ...(grantsConsent(plan) ? [grants(request)] : []),
    ...(plan.secretMonths === undefined ? [] : [secret(plan.tag, plan.secretMonths)]),
    farewell(plan.secretMonths !== undefined),
  ].join('\n');
}

/** What Graph is sent, before the placeholders are replaced. */
function bodies({ plan }: HandoffRequest, body: GraphApplicationBody): string {
  const { appId, clientSpId, resourceSpId, endDateTime } = blanks;
  return [
    '# What this script sends to Microsoft Graph.',
    heredoc('application.json', body),
    ...(hasServicePrincipal(plan) ? [heredoc('service-principal.json', servicePrincipalBody(appId))] : []),
    ...(grantsConsent(plan)
      ? [
          heredoc('grant-graph.json', grantBody({ clientSpId, resourceSpId, scopes: plan.graphPermissions })),
          heredoc('grant-exchange.json', grantBody({ clientSpId, resourceSpId, scopes: plan.exchangePermissions })),
        ]
      : []),
    ...(plan.secretMonths === undefined
      ? []
      : [heredoc('password.json', passwordBody({ displayName: handoffSecretName(plan.tag), endDateTime }))]),
    '',
  ].join('\n');
}

/** Quoted, so that the shell expands nothing in it. No line of JSON can equal the closing word. */
const heredoc = (name: string, body: object): string => `cat >"$work/${name}" <<'END_OF_JSON'\n${asciiJson(body, 2)}\nEND_OF_JSON`;

const questions = (body: GraphApplicationBody): string => `\
# For an application that exists already: whether it is as planned, and what to send if it is not (JMESPath).
as_planned=${quoteBash(asPlanned(body))}
merged=${quoteBash(merged(body))}
`;

function exchangeIds(names: readonly string[]): string {
  const value = (name: string) =>
    `    ${quoteBash(name)}) use_id ${quoteBash(permissionIds.exchange[name] ?? '')} "$id"; seen="$seen$name " ;;`;
  const query = `[value[].[\`"id"\`, id], value[].oauth2PermissionScopes[] | [?contains(\`${asciiJson(names)}\`, value)].[value, id]][]`;
  const path = `servicePrincipals?$filter=appId%20eq%20${quoted(resourceIds.exchange)}&$select=id,oauth2PermissionScopes`;
  return `\
# The IDs of Exchange Online's permissions, as this tenant publishes them.
use_id() {
  [ "$1" = "$2" ] || say "Exchange Online publishes an unusual ID here: $2 instead of $1"
  replace_in "$work/application.json" "$1" "$2"
  as_planned=\${as_planned//"$1"/$2}
  merged=\${merged//"$1"/$2}
}
exchange_sp=''
seen=' '
published=$(graph tsv get ${quoteBash(path)} ${quoteBash(query)}) || stop 'The script cannot look up Exchange Online in this tenant.'
while IFS=$'\\t' read -r name id; do
  [ -z "$name" ] || is_id "$id" || stop "Exchange Online answered with an unreadable ID for $name."
  case $name in
    id) exchange_sp=$id ;;
${names.map(value).join('\n')}
  esac
done <<<"$published"
[ -n "$exchange_sp" ] || stop 'This tenant has no Exchange Online. Is it the right tenant?'
wanted=${quoteBash(names.join(' '))}
for name in $wanted; do
  case $seen in
    *" $name "*) ;;
    *) stop "Exchange Online does not offer the permission $name in this tenant." ;;
  esac
done
`;
}

const application = (tag: string): string => `\
# The application. It is found by its tag, never by its name.
found=$(graph tsv get ${quoteBash(`applications?$filter=tags/any(t:t%20eq%20${quoted(tag)})&$select=id,appId`)} 'value[].[id, appId]') ||
  stop 'The script cannot list the applications of this tenant.'
case $found in
  '')
    found=$(graph tsv post applications '[[id, appId]]' "$work/application.json") ||
      stop ${quoteBash(`The application was not created. You need one of these roles: ${rolesThat.register.join(', ')}.`)}
    state=created
    ;;
  *$'\\n'*) stop "More than one application has the tag $tag, so one of them is a copy. Compare them in the portal." ;;
  *) state=found ;;
esac
IFS=$'\\t' read -r object_id client_id <<<"$found"
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
`;

const servicePrincipal = `\
# The service principal: the application's presence in this tenant.
find_sp() { graph tsv get "servicePrincipals?\\$filter=appId%20eq%20'$1'&\\$select=id" 'value[].id'; }
client_sp=$(find_sp "$client_id") || stop 'The script cannot list the service principals of this tenant.'
if [ -z "$client_sp" ]; then
  replace_in "$work/service-principal.json" '${blanks.appId}' "$client_id"
  client_sp=$(patiently graph tsv post servicePrincipals 'id' "$work/service-principal.json") || stop "The service principal was not created. The application $client_id exists: run this script again."
  say 'Service principal: created'
fi
is_id "$client_sp" || stop 'Microsoft Graph answered with an unreadable ID.'
`;

function grants({ plan, cloud }: HandoffRequest): string {
  const page = `${cloud.portal}/#view/Microsoft_AAD_RegisteredApps/ApplicationMenuBlade/~/CallAnAPI/appId/`;
  const call = (file: string, sp: string, scopes: readonly string[]) =>
    scopes.length === 0 ? [] : [`grant "${sp}" "$work/${file}" ${scopes.map(quoteBash).join(' ')}`];
  return `\
# Consent for the whole tenant: one grant for each service. A grant that is too narrow gets the missing permissions.
refused() {
  stop ${quoteBash(`The application exists, but consent was refused. You need one of these roles: ${rolesThat.consent.join(', ')}.`)} \\
    'Ask somebody who has such a role to run this script again, or to press "Grant admin consent" on this page:' ${quoteBash(page)}"$client_id/isMSAApp~/false"
}
grant() {
  local resource=$1 file=$2 has id scopes scope missing=''
  shift 2
  is_id "$resource" || stop 'This tenant does not have a service that the consent is for.'
  has=$(patiently graph tsv get "oauth2PermissionGrants?\\$filter=clientId%20eq%20'$client_sp'%20and%20consentType%20eq%20'AllPrincipals'" \\
    "value[?resourceId == '$resource'].[id, scope]") || refused
  if [ -z "$has" ]; then
    replace_in "$file" '${blanks.clientSpId}' "$client_sp"
    replace_in "$file" '${blanks.resourceSpId}' "$resource"
    patiently graph tsv post oauth2PermissionGrants '' "$file" || refused
    say "Consent: given for $*"
    return
  fi
  IFS=$'\\t' read -r id scopes <<<"$has"
  case $scopes in *[!A-Za-z0-9._\\ -]*) stop 'The present consent names a permission that this script cannot read.' ;; esac
  for scope in "$@"; do
    case " $scopes " in *" $scope "*) ;; *) missing="$missing $scope" ;; esac
  done
  [ -n "$missing" ] || return 0
  printf '{"scope":"%s"}\\n' "$scopes$missing" >"$work/widen.json"
  graph tsv patch "oauth2PermissionGrants/$id" '' "$work/widen.json" || refused
  say "Consent: given for$missing"
}
graph_sp=$(find_sp '${resourceIds.graph}') || stop 'The script cannot look up Microsoft Graph in this tenant.'
${[...call('grant-graph.json', '$graph_sp', plan.graphPermissions), ...call('grant-exchange.json', '$exchange_sp', plan.exchangePermissions)].join('\n')}
`;
}

const secret = (tag: string, months: number): string => `\
# The client secret. Its value is printed below and not written to any file.
secret_value=''
has_secret=$(patiently graph tsv get "applications/$object_id?\\$select=passwordCredentials" \\
  ${quoteBash(`passwordCredentials[?displayName == \`${asciiJson(handoffSecretName(tag))}\`].keyId`)}) || stop 'The script cannot list the secrets of the application.'
if [ -z "$has_secret" ] || [ "$with_secret" = yes ]; then
  ends=$(date -u -d '+${months} months' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+${months}m +%Y-%m-%dT%H:%M:%SZ)
  replace_in "$work/password.json" '${blanks.endDateTime}' "$ends"
  made=$(patiently graph tsv post "applications/$object_id/addPassword" '[[keyId, secretText]]' "$work/password.json") ||
    stop "The application $client_id exists, but the client secret was refused. A policy of the tenant may forbid secrets or this lifetime."
  IFS=$'\\t' read -r secret_id secret_value <<<"$made"
fi
`;

const farewell = (withSecret: boolean): string => `\
printf '\\n%s\\n  %s\\n  %s\\n' 'Done. Send back these two values. They are not secret:' "Application (client) ID: $client_id" "Directory (tenant) ID:   $tenant_id"
printf '%s\\n  %s\\n' 'The person who asked you continues with:' "\${go_on//${clientIdBlank}/$client_id}"
${
  withSecret
    ? `if [ -n "$secret_value" ]; then
  printf '\\n%s\\n%s\\n  %s\\n  %s\\n' "Client secret. It is shown only this once and expires on $ends." \\
    'Send it through a password manager, never by mail or chat.' "Value:     $secret_value" "Secret ID: $secret_id (not the value)"
else
  printf '\\n%s\\n' 'An earlier run made the client secret. It cannot be shown again. If it is lost, run this script with --with-secret.'
fi
`
    : ''
}`;
