import type { Environment } from "../cargo/home.ts";
import { SETTINGS } from "../settings/settings.ts";
import { commandNames, commands } from "./commands.ts";
import { manPage, type ManSection } from "./man_page.ts";
import { PROGRAM, SUMMARY, VERSION } from "./program.ts";

const DESCRIPTION: ManSection = {
  title: "DESCRIPTION",
  body: [
    "Cargo starts this program as a credential provider (cargo 1.74 and " +
    "later). It keeps the tokens of registries in the credential store of " +
    "the operating system: the Secret Service, the macOS Keychain, the " +
    "Windows Credential Manager. The commands below are for people: they " +
    "move tokens there and back, and hand them out.",
    "Cargo uses it where `registry.global-credential-providers` in cargo's " +
    "configuration lists it; the last one is asked first:",
    '`global-credential-providers = ["cargo:token", "PATH"]`',
  ],
};

const EXIT_STATUS: ManSection = {
  title: "EXIT STATUS",
  body: [
    { term: "0", text: "All was done." },
    { term: "1", text: "Something could not be done, or is seriously wrong." },
    { term: "2", text: "The program was called wrongly." },
    {
      term: "3, 4",
      text: "`status --registry`: there is no token; that cannot be told.",
    },
    { term: "126, 127", text: "`exec` could not run or find the program." },
  ],
};

const SETTINGS_SECTION: ManSection = {
  title: "SETTINGS",
  body: [
    "From the strongest to the weakest: the environment, " +
    "`$CARGO_HOME/credential-keyring.toml`, the system's file. A table " +
    "`[[registry]]` with `index` sets them for one registry.",
    ...Object.values(SETTINGS).map(({ key, expected }) => ({
      term: `${key}, ${variableOf(key)}`,
      text: expected.charAt(0).toUpperCase() + expected.slice(1) + ".",
    })),
  ],
};

const FILES: ManSection = {
  title: "FILES",
  body: [
    {
      term: "$CARGO_HOME/credentials.toml",
      text: "Where cargo itself keeps tokens, in plaintext.",
    },
    {
      term: "$CARGO_HOME/credential-keyring.toml",
      text: "The user's settings.",
    },
    {
      term: "/etc/cargo-credential-keyring.toml",
      text: "The system's settings. It counts only if nobody but root can " +
        "write it.",
    },
  ],
};

const SEE_ALSO: ManSection = {
  title: "SEE ALSO",
  body: ["cargo(1), cargo-login(1), cargo-logout(1), age(1)"],
};

/** The name of a setting's environment variable. */
function variableOf(key: string): string {
  return `CARGO_CREDENTIAL_KEYRING_${key.replaceAll("-", "_").toUpperCase()}`;
}

/**
 * The manual page of this program, line by line. Its date is the build's where
 * `SOURCE_DATE_EPOCH` gives one, so that packages are made alike twice.
 */
export async function programManPage(env: Environment): Promise<string[]> {
  const page = await manPage({
    program: PROGRAM,
    version: VERSION,
    summary: SUMMARY.charAt(0).toLowerCase() + SUMMARY.slice(1),
    date: dateOf(env["SOURCE_DATE_EPOCH"]),
    before: [DESCRIPTION],
    parser: commands,
    commands: commandNames(),
    after: [EXIT_STATUS, SETTINGS_SECTION, FILES, SEE_ALSO],
  });
  return page.trimEnd().split("\n");
}

function dateOf(epoch: string | undefined): Date {
  return epoch !== undefined && /^\d{1,10}$/.test(epoch)
    ? new Date(Number(epoch) * 1000)
    : new Date();
}
