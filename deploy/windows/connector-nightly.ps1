# Runs the connector's nightly job, appends what it says to a log file and passes its exit code on.
# For Windows PowerShell 5.1 and later.

$folder = 'C:\connector'
$program = 'C:\connector\venv\Scripts\connector.exe'
$arguments = @('--mappings', 'C:\connector\mappings.yaml', '--state', 'C:\connector\state', 'nightly')
$log = 'C:\connector\connector-nightly.log'

# The connector writes UTF-8; a console of another code page must read it as such.
$env:PYTHONUTF8 = '1'
$env:CONNECTWISE_CLIENT_ID_FILE = 'C:\connector\secrets\CONNECTWISE_CLIENT_ID'
$env:CONNECTWISE_PRIVATE_KEY_FILE = 'C:\connector\secrets\CONNECTWISE_PRIVATE_KEY'
$env:CONNECTWISE_PUBLIC_KEY_FILE = 'C:\connector\secrets\CONNECTWISE_PUBLIC_KEY'
$env:SOPHOS_CLIENT_ID_FILE = 'C:\connector\secrets\SOPHOS_CLIENT_ID'
$env:SOPHOS_CLIENT_SECRET_FILE = 'C:\connector\secrets\SOPHOS_CLIENT_SECRET'
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false } catch { }

$began = (Get-Date).ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
$code = 2
try {
    Set-Location -LiteralPath $folder -ErrorAction Stop
    $ErrorActionPreference = 'Continue'
    $said = @(& $program @arguments 2>&1 | ForEach-Object { "$_" })
    $code = $LASTEXITCODE
} catch {
    $said = @("$_")
}

# A log file that an editor holds open must not fail the job.
try {
    if ((Test-Path -LiteralPath $log) -and ((Get-Item -LiteralPath $log).Length -gt 5MB)) {
        Move-Item -LiteralPath $log -Destination "$log.old" -Force -ErrorAction Stop
    }
    @("[$began] exit code $code") + $said |
        Out-File -LiteralPath $log -Append -Encoding utf8 -Width 4096 -ErrorAction Stop
} catch { }

exit $code
