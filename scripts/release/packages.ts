import {
  DESCRIPTION,
  fileFor,
  HOMEPAGE,
  PROGRAM,
  type Release,
} from "./release.ts";

/** A formula for Homebrew, on macOS and Linux. */
export function renderFormula(release: Release): string {
  const block = (target: string): string => {
    const { archive, sha256 } = fileFor(release, target);
    return `url "${release.baseUrl}/${archive}"
      sha256 "${sha256}"`;
  };
  return `class CargoCredentialKeyring < Formula
  desc "${DESCRIPTION}"
  homepage "${HOMEPAGE}"
  version "${release.version}"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      ${block("aarch64-apple-darwin")}
    end
    on_intel do
      ${block("x86_64-apple-darwin")}
    end
  end

  on_linux do
    depends_on "libsecret"
    on_arm do
      ${block("aarch64-unknown-linux-gnu")}
    end
    on_intel do
      ${block("x86_64-unknown-linux-gnu")}
    end
  end

  def install
    bin.install "${PROGRAM}"
    man1.install "man/${PROGRAM}.1"
    bash_completion.install "completions/${PROGRAM}.bash" => "${PROGRAM}"
    zsh_completion.install "completions/_${PROGRAM}"
    fish_completion.install "completions/${PROGRAM}.fish"
  end

  def caveats
    "To make it cargo's provider: #{opt_bin}/${PROGRAM} setup --here"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/${PROGRAM} --version")
  end
end
`;
}

/** A manifest for Scoop, on Windows. */
export function renderScoop(release: Release): string {
  const architecture = (target: string): Record<string, unknown> => {
    const { archive, sha256 } = fileFor(release, target);
    return {
      url: `${release.baseUrl}/${archive}`,
      hash: sha256,
      extract_dir: archive.replace(/\.zip$/, ""),
    };
  };
  return JSON.stringify(
    {
      version: release.version,
      description: DESCRIPTION,
      homepage: HOMEPAGE,
      license: "MIT|Apache-2.0",
      architecture: {
        "64bit": architecture("x86_64-pc-windows-msvc"),
        arm64: architecture("aarch64-pc-windows-msvc"),
      },
      bin: `${PROGRAM}.exe`,
      notes: `To make it cargo's provider: ${PROGRAM} setup --here`,
    },
    null,
    2,
  ) + "\n";
}

/**
 * A manifest for cargo-binstall (`--manifest-path`): its own names of systems
 * are those of the archives.
 */
export function renderBinstall({ version, baseUrl }: Release): string {
  return `[package]
name = "${PROGRAM}"
version = "${version}"
description = "${DESCRIPTION}"
repository = "${HOMEPAGE}"
license = "MIT OR Apache-2.0"

[[bin]]
name = "${PROGRAM}"
path = "none.rs"

[package.metadata.binstall]
pkg-url = "${baseUrl}/{ name }-{ version }-{ target }{ archive-suffix }"
bin-dir = "{ name }-{ version }-{ target }/{ bin }{ binary-ext }"
pkg-fmt = "tgz"

[package.metadata.binstall.overrides.x86_64-pc-windows-msvc]
pkg-fmt = "zip"

[package.metadata.binstall.overrides.aarch64-pc-windows-msvc]
pkg-fmt = "zip"
`;
}
