import type {
  CredentialStore,
  StoreFailure,
  StoreName,
  StoreSetting,
} from "./credential_store.ts";
import { EverySpelling } from "./every_spelling.ts";
import { readVariable } from "./session_bus.ts";
import { UnavailableStore } from "./unavailable_store.ts";

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

/** The systems that there is a store for; `auto` is the first of each. */
const STORES: Readonly<Partial<Record<string, readonly StoreName[]>>> = {
  linux: ["secret-service", "systemd", "keyutils"],
  freebsd: ["secret-service"],
  netbsd: ["secret-service"],
  openbsd: ["secret-service"],
  darwin: ["keychain"],
  windows: ["wincred"],
};

const TITLES: Readonly<Record<StoreName, string>> = {
  "secret-service": "the Secret Service",
  keychain: "the macOS Keychain",
  wincred: "the Windows Credential Manager",
  systemd: "systemd's credential store",
  keyutils: "the kernel keyring",
};

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
 *
 * @param setting The `store` setting.
 * @param os The system, as `Deno.build.os` names it.
 * @returns The store, or why there is none.
 *
 * @example
 * ```ts ignore
 * chooseStore("auto", "darwin"); // { kind: "store", name: "keychain" }
 * ```
 */
export function chooseStore(setting: StoreSetting, os: string): StoreChoice {
  if (setting === "off") return { kind: "none", failure: SWITCHED_OFF };
  const stores = STORES[os] ?? [];
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
        : `${TITLES[name]} does not exist on ${system}`,
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
 * @param setting The `store` setting.
 * @param cargoHome Cargo's home, where it is known: one store keeps its files
 * there.
 * @param os The system, absent: this one.
 * @returns The store; where there is none, one that answers why.
 *
 * @example
 * ```ts ignore
 * const store = await openStore("auto", "/users/me/.cargo");
 * ```
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
  if (choice.kind === "none") {
    const name = setting === "auto" || setting === "off"
      ? STORES[os]?.[0] ?? "secret-service"
      : setting;
    return new UnavailableStore(name, TITLES[name], choice.failure);
  }
  switch (choice.name) {
    case "secret-service": {
      return await openLibsecret(readVariable);
    }
    case "keychain": {
      const { KeychainStore } = await import("./keychain.ts");
      return new KeychainStore();
    }
    case "wincred": {
      const { WincredStore } = await import("./wincred.ts");
      return new WincredStore();
    }
    case "systemd": {
      if (cargoHome === undefined) {
        return new UnavailableStore(choice.name, TITLES[choice.name], NO_HOME);
      }
      const { SystemdStore } = await import("./systemd.ts");
      return new SystemdStore(cargoHome);
    }
    case "keyutils": {
      const { Keyutils } = await import("./keyutils.ts");
      return new Keyutils();
    }
  }
}

/**
 * The Secret Service; where libsecret, and so `cargo:libsecret`, keeps secrets
 * in a file of its own, that file.
 */
async function openLibsecret(
  env: (name: string) => string | undefined,
): Promise<CredentialStore> {
  const isNamed = env("SECRET_BACKEND") === "file";
  // Either is set in every sandbox that it stands for, and elsewhere too.
  const mayBeSandbox = env("FLATPAK_ID") !== undefined ||
    env("SNAP") !== undefined;
  if (isNamed || mayBeSandbox) {
    const { findSandbox } = await import("../base/sandbox.ts");
    const { LibsecretFileStore } = await import("./libsecret_file.ts");
    if (isNamed) return new LibsecretFileStore();
    if (await findSandbox(env) !== undefined) {
      const { SecretServiceStore } = await import("./secret_service.ts");
      return new LibsecretFileStore(new SecretServiceStore());
    }
  }
  const { SecretServiceStore } = await import("./secret_service.ts");
  return new SecretServiceStore();
}
