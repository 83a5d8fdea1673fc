import { PROGRAM, type Release } from "./release.ts";

/** What PowerShell calls a processor, by Deno's name of the system. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  "x86_64-pc-windows-msvc": "AMD64",
  "aarch64-pc-windows-msvc": "ARM64",
};

/** The installer for Windows, with the checksums in it. */
export function renderInstallPs1({ version, baseUrl, files }: Release): string {
  const table = files.flatMap(({ target, archive, sha256 }) => {
    const architecture = ARCHITECTURES[target];
    return architecture === undefined
      ? []
      : [`    ${architecture} = @('${archive}', '${sha256}')`];
  }).join("\r\n");
  return `# Installs ${PROGRAM} ${version} into cargo's folder for programs, for this
# user alone. It needs no administrator, and upgrades what is there.
$ErrorActionPreference = 'Stop'

function Install-CargoCredentialKeyring {
  $files = @{
${table}
  }
  $architecture = $env:PROCESSOR_ARCHITECTURE
  if (-not $files.ContainsKey($architecture)) {
    throw "there is no ${PROGRAM} for $architecture"
  }
  $archive, $sum = $files[$architecture]
  $base = $env:CARGO_CREDENTIAL_KEYRING_BASE_URL
  if (-not $base) { $base = '${baseUrl}' }
  $cargo = $env:CARGO_HOME
  if (-not $cargo) { $cargo = Join-Path $env:USERPROFILE '.cargo' }
  $bin = Join-Path $cargo 'bin'

  $work = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid())
  New-Item -ItemType Directory -Path $work | Out-Null
  try {
    Write-Output "Downloading $base/$archive"
    $file = Join-Path $work $archive
    Invoke-WebRequest -UseBasicParsing -Uri "$base/$archive" -OutFile $file
    $found = (Get-FileHash -Algorithm SHA256 -Path $file).Hash.ToLower()
    if ($found -ne $sum) {
      throw "$archive is not what was released: its SHA-256 is $found, and $sum was expected. Nothing was installed."
    }
    Expand-Archive -Path $file -DestinationPath $work
    New-Item -ItemType Directory -Force -Path $bin | Out-Null
    $program = Join-Path $bin '${PROGRAM}.exe'
    $new = "$program.new"
    $made = Get-ChildItem -Path $work -Recurse -Filter '${PROGRAM}.exe' | Select-Object -First 1
    Copy-Item -Path $made.FullName -Destination $new -Force
    # A program that runs can be renamed, and not replaced.
    if (Test-Path $program) { Move-Item -Path $program -Destination "$program.old" -Force }
    Move-Item -Path $new -Destination $program
    Remove-Item -Path "$program.old" -Force -ErrorAction SilentlyContinue
    Write-Output "Installed $program (${version})"
    Write-Output "To make it cargo's provider: $program setup"
  } finally {
    Remove-Item -Path $work -Recurse -Force
  }
}

Install-CargoCredentialKeyring
`.replaceAll(/\r?\n/g, "\r\n");
}
