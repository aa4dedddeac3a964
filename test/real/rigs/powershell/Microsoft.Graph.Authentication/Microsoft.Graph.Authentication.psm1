# Stands in for Microsoft Graph PowerShell: the same commands and forms of answers, against the rig's Graph at $env:RIG_GRAPH.
Set-StrictMode -Version Latest
$environments = [System.Collections.Generic.List[object]]::new()
foreach ($name in 'Global', 'China', 'USGov', 'USGovDoD') { $environments.Add([pscustomobject]@{ Name = $name }) }
$script:environment = $null

function Get-MgEnvironment { $environments }

function Add-MgEnvironment {
    [CmdletBinding()]
    param([Parameter(Mandatory)] [string] $Name, [Parameter(Mandatory)] [uri] $AzureADEndpoint, [Parameter(Mandatory)] [uri] $GraphEndpoint)
    $made = [pscustomobject]@{ Name = $Name; AzureADEndpoint = $AzureADEndpoint; GraphEndpoint = $GraphEndpoint }
    $environments.Add($made)
    $made
}

function Connect-MgGraph {
    [CmdletBinding()]
    param([string] $TenantId, [string[]] $Scopes, [string] $Environment, [ValidateSet('Process', 'CurrentUser')] [string] $ContextScope)
    if (@($environments | Where-Object { $_.Name -ceq $Environment }).Count -ne 1) { throw "Unknown environment $Environment" }
    $script:environment = $Environment
    'Welcome to Microsoft Graph!'
}

function Get-MgContext { [pscustomobject]@{ TenantId = $env:RIG_TENANT; Environment = $script:environment } }

function Invoke-MgGraphRequest {
    [CmdletBinding()]
    param([string] $Method, [uri] $Uri, [object] $Body, [string] $ContentType, [ValidateSet('Hashtable')] [string] $OutputType)
    if ($null -eq $script:environment) { throw 'Authentication needed. Please call Connect-MgGraph.' }
    $request = @{ Method = $Method; Uri = "$env:RIG_GRAPH$Uri"; SkipHttpErrorCheck = $true }
    if ($null -ne $Body) { $request['Body'] = [Text.Encoding]::UTF8.GetBytes($Body); $request['ContentType'] = $ContentType }
    $answer = Invoke-WebRequest @request
    if ($answer.StatusCode -ge 400) {
        $failure = [System.Net.Http.HttpRequestException]::new("Response status code does not indicate success: $($answer.StatusDescription).")
        $record = [System.Management.Automation.ErrorRecord]::new($failure, 'rig', 'InvalidOperation', $null)
        $record.ErrorDetails = [System.Management.Automation.ErrorDetails]::new([string] $answer.Content)
        $PSCmdlet.ThrowTerminatingError($record)
    }
    if ($answer.Content) { ConvertFrom-Json ([string] $answer.Content) -AsHashtable -Depth 20 }
}
