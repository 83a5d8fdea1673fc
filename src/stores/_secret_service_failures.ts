import { GLibError } from "../../ffi/glib.ts";
import { LibraryError } from "../../ffi/_library.ts";
import type { FailureCause, StoreFailure } from "./credential_store.ts";
import type { SessionBusFinding } from "./session_bus.ts";

/** What can go wrong with the Secret Service. */
export type Trouble =
  | { readonly cause: "library-missing"; readonly library: string }
  | {
    readonly cause: "no-bus";
    readonly why: Extract<SessionBusFinding, { kind: "none" }>["why"];
  }
  | { readonly cause: "foreign-bus" }
  | { readonly cause: "no-service" }
  | { readonly cause: "no-default-collection" }
  | {
    readonly cause: "service-failed";
    /** What the bus or the service said. */
    readonly message: string;
    /** Whether another session with the service may do better. */
    readonly badSession?: true;
  }
  | {
    readonly cause: "locked";
    /** What is shown of the item; absent if none was asked for. */
    readonly item?: NonNullable<StoreFailure["item"]>;
    /** Whether only the item is, until a person allows this process to see it. */
    readonly asks?: true;
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
  readonly sandbox?: {
    readonly kind: "snap" | "flatpak";
    /** What the package is called; empty if unknown. */
    readonly name: string;
  };
  /** Whether this is the Windows Subsystem for Linux. */
  readonly wsl: boolean;
}

/**
 * What KWallet 5.103 says of about one session in a hundred: it refuses a
 * public key that begins with a zero (KWalletFreedesktopService::createSession)
 * and cannot decrypt with some others. What it cannot encrypt it leaves out.
 */
const KWALLET_SESSION_ERROR =
  /^(Client public key size is invalid|Can't find session )/;

/**
 * Says what an error means.
 *
 * @param error What was thrown.
 * @returns The trouble; `undefined` if the error is a mistake in this program.
 */
export function troubleOf(error: unknown): Trouble | undefined {
  if (error instanceof LibraryError) {
    return { cause: "library-missing", library: error.library };
  }
  if (!(error instanceof GLibError)) return undefined;
  const { domain, code, message } = error;
  if (KWALLET_SESSION_ERROR.test(message)) {
    return { cause: "service-failed", message, badSession: true };
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
        case 3: // NO_SUCH_OBJECT
          return { cause: "no-default-collection" };
      }
      break;
  }
  return { cause: "service-failed", message };
}

/**
 * Puts a failure into words.
 *
 * @param trouble What is wrong.
 * @param surroundings Where.
 * @returns The failure.
 */
export function describeTrouble(
  trouble: Trouble,
  surroundings: Surroundings,
): StoreFailure {
  const { sandbox, wsl } = surroundings;
  switch (trouble.cause) {
    case "library-missing":
      return {
        kind: "unreachable",
        cause: "library-missing",
        reason: `${trouble.library} is not installed`,
        remedy: installLibsecret(surroundings),
        storeExists: false,
      };
    case "no-bus":
      return {
        kind: "unreachable",
        cause: "no-bus",
        reason: NO_BUS_REASONS[trouble.why],
        remedy: wsl
          ? `${WSL_REMEDY} A bus comes with systemd: see "systemd" in wsl.conf.`
          : "A desktop session brings one; elsewhere `dbus-run-session` starts one for a command.",
        storeExists: false,
      };
    case "foreign-bus":
      return {
        kind: "unreachable",
        cause: "foreign-bus",
        reason: "the D-Bus session bus belongs to another user",
        remedy: "Run cargo as the user who is logged in, without sudo or su.",
        storeExists: true,
      };
    case "no-service":
      // A flatpak's proxy shows no name that the application may not talk to.
      if (sandbox?.kind === "flatpak") {
        return sandboxed("flatpak", sandbox.name);
      }
      return {
        kind: "unreachable",
        cause: "no-service",
        reason: "no Secret Service is running, and none could be started",
        remedy: wsl
          ? `${WSL_REMEDY} Inside WSL, install and start gnome-keyring.`
          : "Install and start GNOME Keyring, KWallet or KeePassXC, with its Secret Service switched on.",
        storeExists: false,
      };
    case "no-default-collection":
      return {
        kind: "unreachable",
        cause: "no-default-collection",
        reason: "the Secret Service has no default collection",
        remedy:
          "Create a keyring and make it the default one, for instance with Seahorse (Passwords and Keys); in KeePassXC, open a database that is set up for the Secret Service.",
        storeExists: true,
      };
    case "service-failed":
      return {
        kind: "unreachable",
        cause: "service-failed",
        reason: `the Secret Service failed: ${clause(trouble.message)}`,
        remedy:
          "Try again. If it stays so, restart the keyring or log in anew.",
        storeExists: true,
      };
    case "locked":
      if (trouble.asks) {
        return {
          kind: "locked",
          cause: "locked",
          reason: "the keyring wants to ask a person about this token first",
          remedy:
            "Run the command in a terminal and answer the dialog. KeePassXC lets programs read without asking if you switch off its setting `Confirm when passwords are retrieved by clients`.",
          storeExists: true,
          item: "visible",
        };
      }
      return {
        kind: "locked",
        cause: "locked",
        reason: trouble.item === "visible"
          ? "the keyring that holds the token is locked"
          : "the default keyring is locked",
        remedy:
          "Unlock it: logging in on the desktop does, and so does Seahorse (Passwords and Keys) or whichever program manages it; over ssh, `cargo-credential-keyring unlock` does.",
        storeExists: true,
        ...(trouble.item === undefined ? {} : { item: trouble.item }),
      };
    case "access-denied":
      if (sandbox !== undefined) return sandboxed(sandbox.kind, sandbox.name);
      return {
        kind: "denied",
        cause: "access-denied",
        reason: "the D-Bus session bus refuses access to the Secret Service",
        remedy:
          "A policy of the bus or of a sandbox forbids it: allow `org.freedesktop.secrets` there.",
        storeExists: true,
      };
    case "prompt-dismissed":
      return {
        kind: "denied",
        cause: "prompt-dismissed",
        reason: "the keyring's dialog was dismissed, or could not be shown",
        remedy:
          "Run the command again and answer the dialog, or unlock the keyring first.",
        storeExists: true,
      };
    case "not-kept":
      return {
        kind: "denied",
        cause: "not-kept",
        reason: "the Secret Service did not keep what was stored",
        remedy:
          "Look at its items, for instance with Seahorse (Passwords and Keys), and try again.",
        storeExists: true,
      };
    case "deadline":
      return {
        kind: "timeout",
        cause: "deadline",
        reason: "the Secret Service did not answer in time",
        remedy:
          "It may be waiting for a password in a dialog, perhaps on another screen, or hang: then restart the keyring or log in anew. If it needs longer, raise `timeout` or `prompt-timeout` in `credential-keyring.toml`.",
        storeExists: true,
      };
  }
}

const NO_BUS_REASONS = {
  unset: "there is no D-Bus session bus",
  unusable: "DBUS_SESSION_BUS_ADDRESS names no socket of a running bus",
  gone: "the D-Bus session bus is not running",
} as const;

const WSL_REMEDY =
  "WSL comes without a keyring; cargo on Windows can use the Windows Credential Manager.";

function sandboxed(kind: "snap" | "flatpak", name: string): StoreFailure {
  const cause: FailureCause = "sandboxed";
  const common = { kind: "denied", cause, storeExists: true } as const;
  return kind === "snap"
    ? {
      ...common,
      reason: "the snap that this runs in may not use the Secret Service",
      remedy: `Allow it: \`snap connect ${
        name || "NAME"
      }:password-manager-service\`.`,
    }
    : {
      ...common,
      reason: "the flatpak that this runs in may not use the Secret Service",
      remedy:
        `Allow it: \`flatpak override --user --talk-name=org.freedesktop.secrets ${
          name || "NAME"
        }\`.`,
    };
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
  for (const name of [...surroundings.distributions, surroundings.os]) {
    const command = INSTALL_COMMANDS[name];
    if (command !== undefined) return `Install it: \`${command}\`.`;
  }
  return "Install `libsecret` or `libsecret-1-0` with the system's package manager.";
}

/** What somebody else said, as the end of our own sentence. */
function clause(message: string): string {
  return message.trim().replace(/\.$/, "") || "it did not say why";
}

/**
 * Looks at where this program runs. It is asked only when something failed.
 *
 * @returns What was found.
 */
export async function readSurroundings(): Promise<Surroundings> {
  const sandbox = await findSandbox();
  return {
    os: Deno.build.os,
    distributions: distributionsOf(await readText("/etc/os-release")),
    ...(sandbox === undefined ? {} : { sandbox }),
    wsl: Boolean(Deno.env.get("WSL_DISTRO_NAME")),
  };
}

async function findSandbox(): Promise<Surroundings["sandbox"]> {
  if (Deno.env.get("SNAP")) {
    return { kind: "snap", name: Deno.env.get("SNAP_INSTANCE_NAME") ?? "" };
  }
  const flatpak = Deno.env.get("FLATPAK_ID");
  if (flatpak || await readText("/.flatpak-info") !== "") {
    return { kind: "flatpak", name: flatpak ?? "" };
  }
  return undefined;
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // It only chooses words: whatever the reason, there is nothing to tell.
    return "";
  }
}

/**
 * The distribution's names, most specific first.
 *
 * @param osRelease The text of os-release(5).
 * @returns `ID`, then those of `ID_LIKE`.
 */
export function distributionsOf(osRelease: string): string[] {
  const value = (key: string): string =>
    new RegExp(`^${key}=["']?([^"'\\n]*)`, "m").exec(osRelease)?.[1] ?? "";
  return `${value("ID")} ${value("ID_LIKE")}`.split(" ").filter(Boolean);
}
