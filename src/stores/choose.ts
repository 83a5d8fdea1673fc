import {
  type CredentialStore,
  STORE_NAMES,
  type StoreFailure,
  type StoreName,
  type StoreSetting,
} from "./credential_store.ts";
import { EverySpelling } from "./every_spelling.ts";

/** What {@linkcode chooseStore} chooses. */
export type StoreChoice =
  | {
    /** There is such a store on this system. */
    readonly kind: "store";
    /** Which one. */
    readonly name: StoreName;
  }
  | {
    /** There is none, or it is not wanted. */
    readonly kind: "none";
    /** Why. */
    readonly failure: StoreFailure;
  };

/** A store there is. */
interface StoreRow {
  /** Its name in sentences. */
  readonly title: string;
  /** The systems that have it, as `Deno.build.os` names them. */
  readonly systems: readonly string[];
  /** Loads its code alone; cargo's home is not always known. */
  readonly load: (cargoHome: string | undefined) => Promise<CredentialStore>;
}

/** Every store; `auto` is the first one of a system. */
const STORES: Readonly<Record<StoreName, StoreRow>> = {
  "secret-service": {
    title: "the Secret Service",
    systems: ["linux", "freebsd", "netbsd", "openbsd"],
    load: async () =>
      await (await import("./open_libsecret.ts")).openLibsecret(),
  },
  keychain: {
    title: "the macOS Keychain",
    systems: ["darwin"],
    load: async () => new (await import("./keychain.ts")).KeychainStore(),
  },
  wincred: {
    title: "the Windows Credential Manager",
    systems: ["windows"],
    load: async () => new (await import("./wincred.ts")).WincredStore(),
  },
  systemd: {
    title: "systemd's credential store",
    systems: ["linux"],
    load: async (cargoHome) =>
      cargoHome === undefined
        ? unavailable("systemd", NO_HOME)
        : new (await import("./systemd.ts")).SystemdStore(cargoHome),
  },
  keyutils: {
    title: "the kernel keyring",
    systems: ["linux"],
    load: async () => new (await import("./keyutils.ts")).Keyutils(),
  },
};

function storesOf(os: string): StoreName[] {
  return STORE_NAMES.filter((name) => STORES[name].systems.includes(os));
}

const SYSTEMS: Readonly<Partial<Record<string, string>>> = {
  linux: "Linux",
  freebsd: "FreeBSD",
  netbsd: "NetBSD",
  openbsd: "OpenBSD",
  darwin: "macOS",
  windows: "Windows",
  android: "Android",
  aix: "AIX",
  solaris: "Solaris",
  illumos: "illumos",
};

const SWITCHED_OFF: StoreFailure = {
  kind: "unreachable",
  cause: "switched-off",
  reason: 'the credential store is switched off (`store = "off"`)',
  remedy: "Set `store` to `auto` to use the one of this system.",
  storeExists: false,
};

const NO_HOME: StoreFailure = {
  kind: "unreachable",
  cause: "no-service",
  reason: "cargo's home, where systemd's credentials lie, is not known",
  remedy: "Set `CARGO_HOME` or `HOME`.",
  storeExists: false,
};

/**
 * Which store a setting means on a system. `auto` is the store of the system's
 * desktop, never the kernel keyring, nor systemd's credentials, which no other
 * machine can decrypt.
 */
export function chooseStore(setting: StoreSetting, os: string): StoreChoice {
  if (setting === "off") return { kind: "none", failure: SWITCHED_OFF };
  const stores = storesOf(os);
  const name = setting === "auto" ? stores[0] : setting;
  if (name !== undefined && stores.includes(name)) {
    return { kind: "store", name };
  }
  const system = SYSTEMS[os] ?? os;
  return {
    kind: "none",
    failure: {
      kind: "unreachable",
      cause: "library-missing",
      reason: name === undefined
        ? `there is no credential store for ${system}`
        : `${STORES[name].title} does not exist on ${system}`,
      remedy: stores.length === 0
        ? "Keep the token in an environment variable."
        : `Set \`store\` to \`auto\`, which is \`${stores[0]}\` on ${system}.`,
      storeExists: false,
    },
  };
}

/**
 * Opens the store of a setting: its code alone is loaded, and the system is
 * not touched before the store is asked something.
 *
 * `cargoHome`: cargo's home, where it is known: one store keeps its files
 * there.
 * `os`: the system, absent: this one.
 * Returns the store; where there is none, one that answers why.
 */
export async function openStore(
  setting: StoreSetting,
  cargoHome: string | undefined,
  os: string = Deno.build.os,
): Promise<CredentialStore> {
  return new EverySpelling(await openAsItIs(setting, cargoHome, os));
}

async function openAsItIs(
  setting: StoreSetting,
  cargoHome: string | undefined,
  os: string,
): Promise<CredentialStore> {
  const choice = chooseStore(setting, os);
  if (choice.kind === "store") return await STORES[choice.name].load(cargoHome);
  const name = setting === "auto" || setting === "off"
    ? storesOf(os)[0] ?? "secret-service"
    : setting;
  return unavailable(name, choice.failure);
}

/**
 * A store that answers everything with one failure: it is switched off, or
 * does not exist on this system. Nothing is asked and nothing loaded.
 */
function unavailable(name: StoreName, failure: StoreFailure): CredentialStore {
  const answer = (): Promise<StoreFailure> => Promise.resolve(failure);
  return {
    name,
    title: STORES[name].title,
    get: answer,
    prepare: answer,
    set: answer,
    verify: answer,
    erase: answer,
    list: answer,
  };
}
