import { cString } from "../../ffi/_memory.ts";
import { openSecurity, type Security } from "../../ffi/security.ts";
import { missing } from "./requirements.ts";

const SOURCE = new URL(
  "../native/keychain_stand_in/keychain_stand_in.c",
  import.meta.url,
);

const SYMBOLS = {
  stand_in_reset: { parameters: ["buffer"], result: "void" },
  stand_in_program: { parameters: ["i32"], result: "void" },
  stand_in_person: { parameters: ["i32"], result: "void" },
  stand_in_default_keychain: { parameters: ["i32"], result: "void" },
  stand_in_rival: { parameters: ["i32"], result: "void" },
  stand_in_dialogs: { parameters: [], result: "i32" },
  stand_in_live_objects: { parameters: [], result: "i32" },
  stand_in_live_buffers: { parameters: [], result: "i32" },
  stand_in_unwiped: { parameters: [], result: "i32" },
  stand_in_misuses: { parameters: [], result: "i32" },
  stand_in_blocked: { parameters: [], result: "i32" },
  stand_in_fail: { parameters: ["buffer", "i32", "i32"], result: "void" },
  stand_in_block: { parameters: ["buffer", "i32"], result: "void" },
  stand_in_unblock: { parameters: [], result: "void" },
  stand_in_lock: { parameters: ["i32"], result: "void" },
  stand_in_locked: { parameters: [], result: "i32" },
  stand_in_items: { parameters: [], result: "i32" },
  stand_in_put: {
    parameters: ["buffer", "u32", "buffer", "u32", "buffer", "u32", "i32"],
    result: "void",
  },
  stand_in_peek: {
    parameters: ["i32", "i32", "buffer", "u32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const PERSONS = {
  /** A session without a screen, such as ssh. */
  nobody: 0,
  allows: 1,
  dismisses: 2,
  mistypes: 3,
  /** The dialog stays open until {@linkcode KeychainStandIn.unblock}. */
  "stays-away": 4,
} as const;
const DEFAULT_KEYCHAINS = { exists: 0, "file-missing": 1, "none-set": 2 };
const RIVALS = { adds: 1, deletes: 2 } as const;

/** The functions that can be told to fail or to block. */
export type StandInFunction =
  | "SecKeychainSetUserInteractionAllowed"
  | "SecKeychainCopyDefault"
  | "SecKeychainGetStatus"
  | "SecKeychainUnlock"
  | "SecKeychainSearchCreateFromAttributes"
  | "SecKeychainSearchCopyNext"
  | "SecKeychainItemCopyContent"
  | "SecKeychainItemModifyContent"
  | "SecKeychainAddGenericPassword"
  | "SecKeychainItemDelete";

/** An item as it lies in the stand-in's file. */
export interface StandInItem {
  /** kSecServiceItemAttr. */
  readonly service: string;
  /** kSecAccountItemAttr. */
  readonly account: string;
  /** kSecLabelItemAttr. */
  readonly label: string;
  /** The secret. */
  readonly secret: string;
}

/** What was counted since the last {@linkcode KeychainStandIn.reset}. */
export interface StandInCounts {
  /** CF objects that are not released yet. */
  readonly objects: number;
  /** Attributes and secrets that are not freed yet. */
  readonly buffers: number;
  /** Secrets that were freed without being overwritten. */
  readonly unwiped: number;
  /** Releases too many, and objects of a wrong kind or already released. */
  readonly misuses: number;
}

/** The stand-in for the two frameworks, and what it can be told. */
export class KeychainStandIn {
  /** The compiled library. */
  readonly library: string;
  readonly #functions: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  #files = 0;
  #file = "";

  private constructor(library: string) {
    this.library = library;
    this.#functions = Deno.dlopen(library, SYMBOLS).symbols;
    this.reset();
  }

  /**
   * Compiles the stand-in into a folder of its own: each user has its own
   * state, even on two threads of one process.
   *
   * @returns The stand-in, with an empty, unlocked keychain.
   */
  static async compile(): Promise<KeychainStandIn> {
    const directory = await Deno.makeTempDir({ prefix: "keychain_stand_in_" });
    addEventListener("unload", () => {
      Deno.removeSync(directory, { recursive: true });
    });
    const library = `${directory}/keychain_stand_in.so`;
    const command = new Deno.Command("cc", {
      args: [
        "-std=gnu11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-shared",
        "-fPIC",
        "-O1",
        "-pthread",
        "-o",
        library,
        decodeURIComponent(SOURCE.pathname),
      ],
      stderr: "piped",
    });
    const output = await command.output().catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return missing("a C compiler", "apt-get install gcc libc6-dev");
    });
    if (!output.success) {
      throw new Error(new TextDecoder().decode(output.stderr));
    }
    return new KeychainStandIn(library);
  }

  /**
   * A second view of a stand-in that another process has compiled.
   *
   * @param library Its {@linkcode library}.
   * @param file Its {@linkcode file}.
   * @returns The stand-in, with the same items.
   */
  static attach(library: string, file: string): KeychainStandIn {
    const standIn = new KeychainStandIn(library);
    standIn.#use(file);
    return standIn;
  }

  /** The file that holds the items. */
  get file(): string {
    return this.#file;
  }

  #use(file: string): void {
    this.#file = file;
    this.#functions.stand_in_reset(cString(file));
  }

  /** Begins anew: an empty, unlocked keychain, nobody present, no failures. */
  reset(): void {
    this.#use(`${this.library}.items-${this.#files++}`);
  }

  /** Forgets the keychain that is open and all rules, but no item. */
  restart(): void {
    this.#use(this.#file);
  }

  /**
   * The bindings, on the stand-in.
   *
   * @returns What the store takes.
   */
  open(): Security {
    return openSecurity({
      security: this.library,
      coreFoundation: this.library,
    });
  }

  /** Which program this process is, to the items' access lists; 1 at first. */
  set program(program: number) {
    this.#functions.stand_in_program(program);
  }

  /** Who sits in front of the dialogs. */
  set person(person: keyof typeof PERSONS) {
    this.#functions.stand_in_person(PERSONS[person]);
  }

  /** What there is of a default keychain. */
  set defaultKeychain(how: keyof typeof DEFAULT_KEYCHAINS) {
    this.#functions.stand_in_default_keychain(DEFAULT_KEYCHAINS[how]);
  }

  /** What another program does just before the next such call of ours. */
  set rival(rival: keyof typeof RIVALS) {
    this.#functions.stand_in_rival(RIVALS[rival]);
  }

  /** Whether the keychain is locked. */
  get locked(): boolean {
    return this.#functions.stand_in_locked() !== 0;
  }

  set locked(locked: boolean) {
    this.#functions.stand_in_lock(locked ? 1 : 0);
  }

  /** How many dialogs were shown. */
  get dialogs(): number {
    return this.#functions.stand_in_dialogs();
  }

  /** How many calls are blocked just now. */
  get blocked(): number {
    return this.#functions.stand_in_blocked();
  }

  /** What was counted. */
  get counts(): StandInCounts {
    return {
      objects: this.#functions.stand_in_live_objects(),
      buffers: this.#functions.stand_in_live_buffers(),
      unwiped: this.#functions.stand_in_unwiped(),
      misuses: this.#functions.stand_in_misuses(),
    };
  }

  /**
   * Lets a function fail.
   *
   * @param name The function.
   * @param status The OSStatus.
   * @param nth Which call from now on; 0 for every one.
   */
  fail(name: StandInFunction, status: number, nth = 0): void {
    this.#functions.stand_in_fail(cString(name), nth, status);
  }

  /**
   * Lets a function wait until {@linkcode unblock}.
   *
   * @param name The function.
   * @param nth Which call from now on; 0 for every one.
   */
  block(name: StandInFunction, nth = 0): void {
    this.#functions.stand_in_block(cString(name), nth);
  }

  /** Lets whatever waits go on. */
  unblock(): void {
    this.#functions.stand_in_unblock();
  }

  /**
   * Puts an item there as another program would.
   *
   * @param item The item.
   * @param program Which program's it is.
   */
  put(item: Omit<StandInItem, "label">, program = 1): void {
    const encoder = new TextEncoder();
    const service = encoder.encode(item.service);
    const account = encoder.encode(item.account);
    const secret = encoder.encode(item.secret);
    this.#functions.stand_in_put(
      service,
      service.length,
      account,
      account.length,
      secret,
      secret.length,
      program,
    );
  }

  /** The items in the file. */
  get items(): StandInItem[] {
    const buffer = new Uint8Array(65_536);
    const part = (index: number, which: number): string => {
      const length = this.#functions.stand_in_peek(
        index,
        which,
        buffer,
        buffer.length,
      );
      return new TextDecoder().decode(buffer.subarray(0, length));
    };
    return Array.from(
      { length: this.#functions.stand_in_items() },
      (_, index) => ({
        service: part(index, 0),
        account: part(index, 1),
        label: part(index, 2),
        secret: part(index, 3),
      }),
    );
  }
}
