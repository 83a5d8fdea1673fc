import { GLibError } from "../../ffi/glib.ts";
import { LibraryError } from "../../ffi/_library.ts";
import type { StoreFailure } from "./credential_store.ts";
import { findSandbox, type Sandbox } from "../base/sandbox.ts";
import {
  findLiveBus,
  readVariable,
  type SessionBusFinding,
  statSocket,
} from "./session_bus.ts";
import { storeFailure } from "./store_failure.ts";

/** What can go wrong with the Secret Service. */
export type Trouble =
  | {
    readonly cause: "library-missing";
    readonly library: string;
    /** What the dynamic linker said of one that is there. */
    readonly message?: string;
  }
  | {
    readonly cause: "no-bus";
    readonly why: Extract<SessionBusFinding, { kind: "none" }>["why"];
  }
  | { readonly cause: "foreign-bus" }
  | {
    readonly cause: "no-service";
    /** What systemd said, where it would not start one. */
    readonly message?: string;
  }
  | { readonly cause: "no-default-collection" }
  | {
    readonly cause: "service-failed";
    /** What the bus or the service said. */
    readonly message: string;
    /** Whether the same calls in another session may do better. */
    readonly again?: true;
  }
  | {
    readonly cause: "locked";
    /** What is shown of the item; absent if none was asked for. */
    readonly item?: NonNullable<StoreFailure["item"]>;
    /** Whether only the item is, until a person allows this process to see it. */
    readonly asks?: true;
    /** The name of the item's keyring, if it is not the default one. */
    readonly keyring?: string;
  }
  | { readonly cause: "access-denied" }
  | { readonly cause: "prompt-dismissed" }
  | { readonly cause: "not-kept" }
  | { readonly cause: "deadline" };

/** What the words of a failure depend on. */
export interface Surroundings {
  /** `Deno.build.os`. */
  readonly os: string;
  /** `ID` and `ID_LIKE` of os-release(5), most specific first. */
  readonly distributions: readonly string[];
  /** The sandbox that we run in, if any. */
  readonly sandbox?: Sandbox;
  /** Whether this is the Windows Subsystem for Linux. */
  readonly wsl: boolean;
  /** Whether a dialog could be shown: there is a screen, and not over ssh. */
  readonly screen: boolean;
  /** The socket of a running bus of ours that the environment does not name. */
  readonly liveBus?: string;
  /** Whether `LD_LIBRARY_PATH` is set. */
  readonly libraryPath: boolean;
}

/**
 * What KWallet 5.103 says of about one session in a hundred: it refuses a
 * public key that begins with a zero (KWalletFreedesktopService::createSession)
 * and cannot decrypt with some others. What it cannot encrypt it leaves out.
 */
const KWALLET_SESSION_ERROR =
  /^(Client public key size is invalid|Can't find session )/;

/** GIO puts the error's name on the bus in front of its words. */
const REMOTE_ERROR = /^GDBus\.Error:\S+: /;

/** What the bus passes on of systemd, which it asks to start the service. */
const START_ERROR =
  /^Error calling StartServiceByName for [^:]*: (?:GDBus\.Error:\S+ )?(.*)/;

/**
 * What the dynamic linker said of a library that is there; `undefined` if it
 * is missing.
 */
function linkerWords(error: LibraryError): string | undefined {
  if (!(error.cause instanceof Error)) return undefined;
  const words = error.cause.message.replace(/^(Could not open library: )+/, "");
  const isMissing = words.startsWith(`${error.library}.so`) &&
      words.includes("cannot open shared object file: No such file") ||
    words.startsWith(`Shared object "${error.library}.so`) ||
    words.endsWith("has no such library");
  return isMissing ? undefined : words;
}

/**
 * Says what an error means.
 *
 * Returns the trouble; `undefined` if the error is a mistake in this program.
 */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof LibraryError) {
    const { library } = error;
    const message = linkerWords(error);
    return message === undefined
      ? { cause: "library-missing", library }
      : { cause: "library-missing", library, message };
  }
  if (!(error instanceof GLibError)) return undefined;
  const { domain, code } = error;
  const message = error.message.replace(REMOTE_ERROR, "");
  if (KWALLET_SESSION_ERROR.test(message)) {
    return { cause: "service-failed", message, again: true };
  }
  switch (domain) {
    case "g-io-error-quark": // GIOErrorEnum
      switch (code) {
        case 1: // NOT_FOUND: the socket
        case 39: // CONNECTION_REFUSED
          return { cause: "no-bus", why: "gone" };
        case 13: // INVALID_ARGUMENT: the address
          return { cause: "no-bus", why: "unusable" };
        case 14: // PERMISSION_DENIED: the socket
          return { cause: "access-denied" };
        case 19: // CANCELLED
        case 24: // TIMED_OUT
          return { cause: "deadline" };
        case 36: { // DBUS_ERROR: one that has no code of its own
          const why = START_ERROR.exec(message)?.[1];
          if (why === undefined) break;
          return { cause: "no-service", message: why };
        }
      }
      break;
    case "g-dbus-error-quark": // GDBusError
      switch (code) {
        case 2: // SERVICE_UNKNOWN
        case 3: // NAME_HAS_NO_OWNER
          return { cause: "no-service" };
        case 9: // ACCESS_DENIED
        case 10: // AUTH_FAILED
          return { cause: "access-denied" };
        case 12: // TIMEOUT
        case 20: // TIMED_OUT
          return { cause: "deadline" };
      }
      // SPAWN_EXEC_FAILED to SPAWN_NO_MEMORY: it could not be started.
      if (code >= 23 && code <= 34) return { cause: "no-service" };
      break;
    case "secret-error": // SecretError
      switch (code) {
        case 2: // IS_LOCKED
          return { cause: "locked" };
        case 3: // NO_SUCH_OBJECT: it went since it was found
          return { cause: "service-failed", message, again: true };
      }
      break;
  }
  return { cause: "service-failed", message };
}

/** Puts a failure into words. */
export function describeTrouble(
  trouble: Trouble,
  surroundings: Surroundings,
): StoreFailure {
  const { sandbox, screen, wsl } = surroundings;
  switch (trouble.cause) {
    case "library-missing":
      return storeFailure(
        "library-missing",
        trouble.message === undefined
          ? `${trouble.library} is not installed`
          : `${trouble.library} cannot be loaded: ${clause(trouble.message)}`,
        trouble.message === undefined
          ? installLibsecret(surroundings)
          : loadLibsecret(surroundings),
      );
    case "no-bus":
      return storeFailure(
        "no-bus",
        NO_BUS_REASONS[trouble.why],
        findBus(surroundings),
      );
    case "foreign-bus":
      return storeFailure(
        "foreign-bus",
        "the D-Bus session bus belongs to another user",
        surroundings.liveBus === undefined
          ? "Run cargo as the user who is logged in, without sudo or su."
          : findBus(surroundings),
      );
    case "no-service":
      // A flatpak's proxy shows no name that the application may not talk to.
      if (sandbox?.kind === "flatpak") {
        return sandboxed("flatpak", sandbox.name);
      }
      return storeFailure(
        "no-service",
        "no Secret Service is running, and none could be started" +
          (trouble.message === undefined ? "" : `: ${clause(trouble.message)}`),
        wsl
          ? `${WSL_REMEDY} Inside WSL, install and start gnome-keyring.`
          : trouble.message !== undefined
          ? "Let systemd start it (`systemctl --user unmask UNIT` for one that is masked), or start KWallet or KeePassXC, with its Secret Service switched on."
          : "Install and start GNOME Keyring, KWallet or KeePassXC, with its Secret Service switched on.",
      );
    case "no-default-collection":
      return storeFailure(
        "no-default-collection",
        "the Secret Service has no default collection",
        screen
          ? "Create a keyring and make it the default one, for instance with Seahorse (Passwords and Keys); in KeePassXC, open a database that is set up for the Secret Service."
          : "In GNOME Keyring `cargo-credential-keyring unlock` makes one, with a password that you choose.",
      );
    case "service-failed":
      return storeFailure(
        "service-failed",
        `the Secret Service failed: ${clause(trouble.message)}`,
        "Try again. If it stays so, restart the keyring or log in again.",
      );
    case "locked":
      if (trouble.asks) {
        return storeFailure(
          "locked",
          "the keyring wants to ask a person about this token first",
          "Run the command in a terminal and answer the dialog. KeePassXC lets programs read without asking if you switch off its setting `Confirm when passwords are retrieved by clients`.",
          { item: "visible" },
        );
      }
      return storeFailure(
        "locked",
        trouble.keyring !== undefined
          ? `the keyring "${trouble.keyring}", which holds the token, is locked`
          : trouble.item === "visible"
          ? "the keyring that holds the token is locked"
          : "the default keyring is locked",
        screen
          ? "Unlock it: logging in on the desktop does, and so does Seahorse (Passwords and Keys) or whichever program manages it; over ssh, `cargo-credential-keyring unlock` does."
          : "Unlock it: `cargo-credential-keyring unlock` does where it is GNOME Keyring's.",
        trouble.item === undefined ? {} : { item: trouble.item },
      );
    case "access-denied":
      if (sandbox !== undefined) return sandboxed(sandbox.kind, sandbox.name);
      return storeFailure(
        "access-denied",
        "the D-Bus session bus refuses access to the Secret Service",
        "A policy of the bus or of a sandbox forbids it: allow `org.freedesktop.secrets` there.",
      );
    case "prompt-dismissed":
      return storeFailure(
        "prompt-dismissed",
        "the keyring's dialog was dismissed, or could not be shown",
        screen
          ? "Run the command again and answer the dialog, or unlock the keyring first."
          : "Without a screen, `cargo-credential-keyring unlock` opens GNOME Keyring first.",
      );
    case "not-kept":
      return storeFailure(
        "not-kept",
        "the Secret Service did not keep what was stored",
        "Look at its items, for instance with Seahorse (Passwords and Keys), and try again.",
      );
    case "deadline":
      return storeFailure(
        "deadline",
        "the Secret Service did not answer in time",
        "It may be waiting for a password in a dialog, perhaps on another screen, or hang: then restart the keyring or log in again. If it needs longer, raise `timeout` or `prompt-timeout` in `credential-keyring.toml`.",
      );
  }
}

const NO_BUS_REASONS = {
  unset: "there is no D-Bus session bus",
  unusable: "DBUS_SESSION_BUS_ADDRESS names no socket of a running bus",
  gone: "DBUS_SESSION_BUS_ADDRESS names a bus that is not running",
} as const;

function findBus({ liveBus, wsl }: Surroundings): string {
  if (liveBus !== undefined) {
    return `Your session's bus runs: \`export DBUS_SESSION_BUS_ADDRESS=unix:path=${liveBus}\` leads to it.`;
  }
  return wsl
    ? `${WSL_REMEDY} A bus comes with systemd: see "systemd" in wsl.conf.`
    : "A desktop session brings one; elsewhere `dbus-run-session` starts one for a command.";
}

const WSL_REMEDY =
  "WSL comes without a keyring; cargo on Windows can use the Windows Credential Manager.";

function sandboxed(kind: "snap" | "flatpak", name: string): StoreFailure {
  const command = kind === "snap"
    ? `snap connect ${name || "NAME"}:password-manager-service`
    : `flatpak override --user --talk-name=org.freedesktop.secrets ${
      name || "NAME"
    }`;
  return storeFailure(
    "sandboxed",
    `the ${kind} that this runs in may not use the Secret Service`,
    `Allow it: \`${command}\`.`,
  );
}

/** Which command installs libsecret, by the names that os-release(5) uses. */
const INSTALL_COMMANDS: Readonly<Record<string, string>> = {
  debian: "apt install libsecret-1-0",
  ubuntu: "apt install libsecret-1-0",
  fedora: "dnf install libsecret",
  rhel: "dnf install libsecret",
  arch: "pacman -S libsecret",
  suse: "zypper install libsecret-1-0",
  opensuse: "zypper install libsecret-1-0",
  alpine: "apk add libsecret",
  void: "xbps-install libsecret",
  gentoo: "emerge app-crypt/libsecret",
  freebsd: "pkg install libsecret",
  netbsd: "pkgin install libsecret",
  openbsd: "pkg_add libsecret",
};

function installLibsecret(surroundings: Surroundings): string {
  const nix = onNix(surroundings.distributions);
  if (nix !== undefined) return nix;
  for (const name of [...surroundings.distributions, surroundings.os]) {
    const command = INSTALL_COMMANDS[name];
    if (command !== undefined) return `Install it: \`${command}\`.`;
  }
  return "Install `libsecret` or `libsecret-1-0` with the system's package manager.";
}

function loadLibsecret({ distributions, libraryPath }: Surroundings): string {
  if (libraryPath) {
    return "The variable LD_LIBRARY_PATH is set, as conda, ROS and AppImages do: run cargo without it, or without the folder whose libraries do not fit.";
  }
  const nix = onNix(distributions);
  return nix ??
    "Reinstall libsecret and GLib with the system's package manager.";
}

/** Where libraries lie on no common path. */
function onNix(distributions: readonly string[]): string | undefined {
  return distributions.includes("nixos") || distributions.includes("guix")
    ? "Libraries lie on no common path here: start cargo with the `lib` folder of libsecret in LD_LIBRARY_PATH, or add it to `programs.nix-ld.libraries`."
    : undefined;
}

/** What somebody else said, as the end of our own sentence. */
function clause(message: string): string {
  return message.trim().replace(/\.$/, "") || "it did not say why";
}

/** Looks at where this program runs. It is asked only when something failed. */
export async function readSurroundings(): Promise<Surroundings> {
  const sandbox = await findSandbox(readVariable);
  const liveBus = findLiveBus(readVariable, Deno.uid(), statSocket);
  const isSet = (name: string): boolean => Boolean(readVariable(name));
  return {
    os: Deno.build.os,
    distributions: distributionsOf(await readText("/etc/os-release")),
    ...(sandbox === undefined ? {} : { sandbox }),
    wsl: isSet("WSL_DISTRO_NAME"),
    screen: (isSet("DISPLAY") || isSet("WAYLAND_DISPLAY")) &&
      !isSet("SSH_CONNECTION"),
    ...(liveBus === undefined ? {} : { liveBus }),
    libraryPath: isSet("LD_LIBRARY_PATH"),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // It only chooses words: whatever the reason, there is nothing to tell.
    return "";
  }
}

/** The distribution's names, most specific first. */
export function distributionsOf(osRelease: string): string[] {
  const value = (key: string): string =>
    new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(osRelease)?.[1] ?? "";
  return `${value("ID")} ${value("ID_LIKE")}`.split(" ").filter(Boolean);
}
