/**
 * Which tests run on Windows, and under Wine: all in `tests` but these. On a
 * real Windows `tests/e2e` runs, too; under Wine there is no cargo.
 *
 * @module
 */

/** Files of tests, and why they cannot run on Windows. */
const FILES: Readonly<Record<string, string>> = {
  "tests/faults": "a C library is preloaded that fails or kills (LD_PRELOAD)",
  "tests/cli/man_page_test.ts": "the judges are man, groff and mandoc",
  "tests/e2e/completion_test.ts": "the shells are Unix's",
  "tests/ffi/core_foundation_test.ts": "the stand-in is for dlopen(3)",
  "tests/compile": "a denort and a Unix shell are wanted",
  "tests/release": "the tools are those of Linux",
  "tests/ffi/exec_test.ts": "the calls are Unix's",
  "tests/ffi/keyutils_test.ts": "the keys are Linux's",
  "tests/ffi/libc_test.ts": "the C library is Unix's",
  "tests/ffi/libsecret_test.ts": "the library is Linux's",
  "tests/ffi/own_stdout_test.ts": "standard output is left alone there",
  "tests/ffi/security_test.ts": "the stand-in is for dlopen(3)",
  "tests/ffi/statfs_test.ts": "file systems are those of Linux",
  "tests/ffi/unix_socket_test.ts": "the sockets are Linux's",
  "tests/tokens/git_index_test.ts": "git is the judge, and missing in Wine",
  "tests/cli/setup/setup_test.ts": "paths, modes and links are Unix's",
  "tests/doctor": "the scenes' paths are Unix's",
  "tests/stores/keyring_file_test.ts": "the daemon is Linux's",
  "tests/stores/libsecret_file_test.ts": "the library is Linux's",
  "tests/stores/gnome_keyring_unlock_test.ts": "the daemon is Linux's",
  "tests/stores/keychain_test.ts": "the stand-in is for dlopen(3)",
  "tests/stores/keyutils_test.ts": "the keys are Linux's",
  "tests/stores/other_services_test.ts": "the buses are Linux's",
  "tests/stores/secret_service_test.ts": "the buses are Linux's",
  "tests/stores/systemd_test.ts": "the service is Linux's",
  "tests/tokens/age_test.ts": "the judge is Debian's age",
  "tests/terminal/posix_terminal_test.ts": "the terminals are Unix's",
};

/** Files that need a real cargo, which there is none of under Wine. */
const CARGO_FILES: readonly string[] = [
  "tests/e2e",
  "tests/cargo/real_cargo_test.ts",
];

/** Single tests in other files: how their names begin, and why. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  "paths are written as on Unix in what is expected": [
    "credentialsPath() prefers the file without an extension",
    "loadConfig() knows cargo's home among the directories above",
    "loadConfig() loads what is included before what includes it",
    "loadConfig() finds what is above a directory whose name is no text",
    "loadConfig() orders the files as cargo does",
    "loadSettings() merges every source",
    "loadSettings() refuses a file that ",
    "loadSettings() reports the system file before any other mistake",
    "migrate --prefer file asks before it discards the other",
    "migrate --prefer store asks before it discards the other",
    "migrate lists the tokens that no command takes away",
    "reachesUs() ",
    "registryIndex() resolves a relative index from its file's root",
    "requestUrl() makes file:///home/",
    "restore moves a token into the file, where it stays",
    "runCommandLine() without arguments says what to do first",
    "sendableToken() looks at ",
    "updateState() leaves a whole file wherever it is killed",
    "updateState() loses nothing when processes write at once",
  ],
  "FIFOs and symbolic links are made, which takes privileges on Windows": [
    "gatherSurroundings() does not open ",
    "gatherSurroundings() finds out whether git tracks the file, a link",
    "gatherSurroundings() looks at the file behind a link",
    "gatherSurroundings() sees a single file from elsewhere in a container",
    "loadConfig() ends at a cycle",
    "loadConfig() follows a link before the `..` of an include",
    "sendableToken() does not wait for a pipe",
    "loadSettings() does not wait for a FIFO",
    "loadSettings() reads a file through a link",
    "readSmallFile() tells a link from what it leads to",
    "readPlaintext() takes a file that is not there for one without tokens",
    "updateState() has no memory with ",
    "updateState() records nothing with ",
    "writeArchive() replaces no link",
    "withCredentialsLock() and readPlaintext() open nothing that blocks",
    "withCredentialsLock() edits in place and keeps link and inode",
  ],
  "users, modes and root are Unix's": [
    'gatherSurroundings() answers {"sudo":true}',
    "gatherSurroundings() tells whose the file is",
    "loadSettings() finds a registry by any spelling of its URL",
    "isRootsFile() looks at the file and at every folder on the way",
    "updateState() writes what readState() reads, for its owner alone",
    "withCredentialsLock() creates a file only when asked to",
    "withCredentialsLock() says what the system has against it",
  ],
  "an open file cannot be replaced on Windows": [
    "moveToken() does not write over an editor that saves by a rename",
    "withCredentialsLock() edits no file that was replaced meanwhile",
  ],
  "another program of Unix takes part": [
    "describeTrouble() has a clause and whole sentences for everything",
    "providerChain() is what the real cargo asks",
    "withCredentialsLock() does not wait for a lock",
  ],
};

/** Which tests {@linkcode windowsTestArgs} is for. */
export interface WindowsTestOptions {
  /**
   * Whether there is a real cargo: not under Wine.
   *
   * @default {true}
   */
  readonly cargo?: boolean;
}

/**
 * What `deno test` takes to run the tests that can run on Windows.
 *
 * @param options Whether there is a real cargo.
 * @returns The arguments, to be put in front of `tests`.
 */
export function windowsTestArgs(
  { cargo = true }: WindowsTestOptions = {},
): readonly string[] {
  const ignored = [...Object.keys(FILES), ...(cargo ? [] : CARGO_FILES)];
  return [
    `--ignore=${ignored.join(",")}`,
    "--preload=tests/harness/without_unix_tests.ts",
  ];
}

/**
 * Whether a test cannot run on Windows, in a file that can.
 *
 * @param name The test's name.
 * @returns Whether it is one of {@linkcode TESTS}.
 */
export function isUnixTest(name: string): boolean {
  return Object.values(TESTS).flat().some((start) => name.startsWith(start));
}
