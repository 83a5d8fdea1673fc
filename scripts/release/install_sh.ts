import { PROGRAM, type Release } from "./release.ts";

/** What `uname -sm` says on a system, by Deno's name of it. */
const UNAMES: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": '"Linux x86_64"',
  "aarch64-unknown-linux-gnu": '"Linux aarch64"',
  "x86_64-apple-darwin": '"Darwin x86_64"',
  "aarch64-apple-darwin": '"Darwin arm64"',
};

/**
 * The installer for Linux and macOS, with the checksums in it: whoever has read
 * it knows what it will install. It runs as a function, so that a script that
 * was cut short does nothing.
 */
export function renderInstallSh({ version, baseUrl, files }: Release): string {
  const cases = files.flatMap(({ target, archive, sha256 }) => {
    const uname = UNAMES[target];
    return uname === undefined
      ? []
      : [`    ${uname}) archive=${archive} sum=${sha256} ;;`];
  }).join("\n");
  return `#!/bin/sh
# Installs ${PROGRAM} ${version} into cargo's folder for programs, for this
# user alone. It needs no root, and upgrades what is there.
set -eu

say() { printf '%s\\n' "$*"; }
fail() { printf 'error: %s\\n' "$*" >&2; exit 1; }

download() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --location --output "$2" "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget --quiet --output-document="$2" "$1"
  else
    fail "curl or wget is needed"
  fi
}

sum_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1"
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 "$1"
  else
    fail "sha256sum or shasum is needed to check what was downloaded"
  fi | cut -d ' ' -f 1
}

install() {
  case "$(uname -s) $(uname -m)" in
${cases}
    *) fail "there is no ${PROGRAM} for $(uname -s) on $(uname -m)" ;;
  esac
  if [ "$(uname -s)" = Linux ] && ! [ -e /lib64/ld-linux-x86-64.so.2 ] &&
    ! [ -e /lib/ld-linux-aarch64.so.1 ]; then
    fail "${PROGRAM} needs glibc, which this system does not have (Alpine?)"
  fi
  [ -n "\${CARGO_HOME:-}" ] || [ -n "\${HOME:-}" ] ||
    fail "set CARGO_HOME or HOME"
  bin="\${CARGO_HOME:-\${HOME:-}/.cargo}/bin"
  url="\${CARGO_CREDENTIAL_KEYRING_BASE_URL:-${baseUrl}}/$archive"

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  say "Downloading $url"
  download "$url" "$work/$archive" || fail "$url cannot be downloaded"
  found=$(sum_of "$work/$archive")
  [ "$found" = "$sum" ] || fail "$archive is not what was released: its \\
SHA-256 is $found, and $sum was expected. Nothing was installed."
  tar -xzf "$work/$archive" -C "$work"

  mkdir -p "$bin" || fail "$bin cannot be made"
  new="$bin/.${PROGRAM}.new"
  cp "$work"/*/${PROGRAM} "$new" || fail "$bin cannot be written"
  chmod 755 "$new"
  # What runs there is replaced, not written to.
  mv -f "$new" "$bin/${PROGRAM}"
  say "Installed $bin/${PROGRAM} (${version})"
  say "To make it cargo's provider: $bin/${PROGRAM} setup"
}

install
`;
}
