import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { LibraryError } from "../../ffi/_library.ts";
import { GLibError } from "../../ffi/glib.ts";
import {
  describeTrouble,
  distributionsOf,
  type Surroundings,
  type Trouble,
  troubleOf,
} from "../../src/stores/_secret_service_failures.ts";

const DESKTOP: Surroundings = {
  os: "linux",
  distributions: ["debian"],
  wsl: false,
  screen: true,
  libraryPath: false,
};

const ERRORS: readonly [error: unknown, cause: Trouble["cause"] | undefined][] =
  [
    [new LibraryError("libsecret-1"), "library-missing"],
    [new GLibError("g-io-error-quark", 1, ""), "no-bus"],
    [new GLibError("g-io-error-quark", 39, ""), "no-bus"],
    [new GLibError("g-io-error-quark", 13, ""), "no-bus"],
    [new GLibError("g-io-error-quark", 14, ""), "access-denied"],
    [new GLibError("g-io-error-quark", 18, ""), "service-failed"],
    [new GLibError("g-io-error-quark", 19, ""), "deadline"],
    [new GLibError("g-io-error-quark", 24, ""), "deadline"],
    [new GLibError("g-dbus-error-quark", 2, ""), "no-service"],
    [new GLibError("g-dbus-error-quark", 3, ""), "no-service"],
    [new GLibError("g-dbus-error-quark", 23, ""), "no-service"],
    [new GLibError("g-dbus-error-quark", 34, ""), "no-service"],
    [new GLibError("g-dbus-error-quark", 4, ""), "service-failed"],
    [new GLibError("g-dbus-error-quark", 9, ""), "access-denied"],
    [new GLibError("g-dbus-error-quark", 20, ""), "deadline"],
    // UnknownMethod is never "nothing is stored".
    [new GLibError("g-dbus-error-quark", 19, ""), "service-failed"],
    [new GLibError("g-dbus-error-quark", 41, ""), "service-failed"],
    [new GLibError("secret-error", 1, ""), "service-failed"],
    [new GLibError("secret-error", 2, ""), "locked"],
    [new GLibError("secret-error", 3, ""), "service-failed"],
    [
      new GLibError(
        "g-io-error-quark",
        36,
        "Error calling StartServiceByName for org.freedesktop.secrets: Unit x is masked.",
      ),
      "no-service",
    ],
    [new GLibError("", 0, "failed and did not say why"), "service-failed"],
    [new TypeError("a mistake"), undefined],
  ];

for (const [error, cause] of ERRORS) {
  const name = error instanceof GLibError
    ? `${error.domain}/${error.code}`
    : String(error);
  Deno.test(`troubleOf() takes ${name} for ${cause}`, () => {
    assertEquals(troubleOf(error)?.cause, cause);
  });
}

Deno.test("troubleOf() knows when another session may do better", () => {
  const of = (message: string): unknown =>
    troubleOf(new GLibError("g-io-error-quark", 36, message));
  const message = "Can't find session /org/freedesktop/secrets/session/7";
  const cause = "service-failed";
  assertEquals(of(message), { cause, message, again: true });
  // As a call of our own gets it.
  const name = "org.qtproject.QtDBus.Error.InvalidObjectPath";
  assertEquals(of(`GDBus.Error:${name}: ${message}`), {
    cause,
    message,
    again: true,
  });
  assertEquals(of("It broke."), { cause, message: "It broke." });
});

Deno.test("troubleOf() passes on why systemd does not start a service", () => {
  const start =
    "Error calling StartServiceByName for org.freedesktop.secrets: ";
  for (
    const prefix of ["", "GDBus.Error:org.freedesktop.systemd1.UnitMasked: "]
  ) {
    assertEquals<unknown>(
      troubleOf(
        new GLibError("g-io-error-quark", 36, `${start}${prefix}It is masked.`),
      ),
      { cause: "no-service", message: "It is masked." },
    );
  }
});

const TROUBLES: readonly Trouble[] = [
  { cause: "library-missing", library: "libsecret-1" },
  { cause: "library-missing", library: "libsecret-1", message: "odd symbol." },
  { cause: "no-bus", why: "unset" },
  { cause: "no-bus", why: "unusable" },
  { cause: "no-bus", why: "gone" },
  { cause: "foreign-bus" },
  { cause: "no-service" },
  { cause: "no-service", message: "Unit x is masked." },
  { cause: "no-default-collection" },
  { cause: "service-failed", message: "It broke." },
  { cause: "locked", item: "visible" },
  { cause: "locked", item: "visible", keyring: "Work" },
  { cause: "locked", item: "none" },
  { cause: "locked" },
  { cause: "locked", item: "visible", asks: true },
  { cause: "access-denied" },
  { cause: "prompt-dismissed" },
  { cause: "not-kept" },
  { cause: "deadline" },
];

const SURROUNDINGS: readonly Surroundings[] = [
  DESKTOP,
  { ...DESKTOP, wsl: true },
  { ...DESKTOP, sandbox: { kind: "snap", name: "" } },
  { ...DESKTOP, sandbox: { kind: "flatpak", name: "org.example.Editor" } },
  { ...DESKTOP, os: "freebsd", distributions: [] },
  { ...DESKTOP, screen: false },
  { ...DESKTOP, liveBus: "/run/user/1000/bus" },
  { ...DESKTOP, libraryPath: true },
  { ...DESKTOP, distributions: ["nixos"] },
];

Deno.test("describeTrouble() has a clause and whole sentences for everything", () => {
  for (const trouble of TROUBLES) {
    for (const surroundings of SURROUNDINGS) {
      const failure = describeTrouble(trouble, surroundings);
      assertMatch(failure.reason, /^[^A-Z\n][^\n]*[^.]$|^DBUS_/);
      assertMatch(failure.remedy, /^[A-Z][^\n]*\.$/);
      if (failure.cause !== "sandboxed") {
        assertEquals(failure.cause, trouble.cause);
      }
    }
  }
});

Deno.test("describeTrouble() never says that nothing can be stored", () => {
  // What this process cannot reach now may still hold a token.
  for (const trouble of TROUBLES) {
    for (const surroundings of SURROUNDINGS) {
      assert(describeTrouble(trouble, surroundings).storeExists, trouble.cause);
    }
  }
});

/** What the remedy has to name, and what it must not. */
const REMEDIES: readonly [
  trouble: Trouble,
  surroundings: Partial<Surroundings>,
  named: string,
  unhelpful: string,
][] = [
  // tmux, cron, su: the bus runs, and the environment does not lead to it.
  [
    { cause: "no-bus", why: "gone" },
    { liveBus: "/run/user/1000/bus" },
    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
    "dbus-run-session",
  ],
  [
    { cause: "no-bus", why: "unset" },
    { liveBus: "/run/user/1000/bus", wsl: true },
    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
    "dbus-run-session",
  ],
  [
    { cause: "foreign-bus" },
    { liveBus: "/run/user/1000/bus" },
    "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus",
    "sudo",
  ],
  [{ cause: "no-bus", why: "unset" }, {}, "dbus-run-session", "export"],
  // ssh
  [
    { cause: "prompt-dismissed" },
    { screen: false },
    "`cargo-credential-keyring unlock`",
    "dialog",
  ],
  [
    { cause: "locked", item: "visible" },
    { screen: false },
    "`cargo-credential-keyring unlock`",
    "Seahorse",
  ],
  [
    { cause: "no-default-collection" },
    { screen: false },
    "`cargo-credential-keyring unlock`",
    "Seahorse",
  ],
  // conda, ROS, AppImages; NixOS
  [
    { cause: "library-missing", library: "libsecret-1", message: "odd" },
    { libraryPath: true },
    "LD_LIBRARY_PATH",
    "nstall",
  ],
  [
    { cause: "library-missing", library: "libsecret-1" },
    { distributions: ["nixos"] },
    "nix-ld",
    "nstall",
  ],
  [
    { cause: "no-service", message: "Unit x is masked." },
    {},
    "unmask",
    "nstall",
  ],
];

for (const [trouble, surroundings, named, unhelpful] of REMEDIES) {
  const where = JSON.stringify(surroundings);
  Deno.test(`describeTrouble() names ${named} for ${trouble.cause} in ${where}`, () => {
    const { remedy } = describeTrouble(trouble, {
      ...DESKTOP,
      ...surroundings,
    });
    assertStringIncludes(remedy, named);
    assert(!remedy.includes(unhelpful), remedy);
  });
}

Deno.test("describeTrouble() passes on what the system said", () => {
  const reason = (trouble: Trouble): string =>
    describeTrouble(trouble, DESKTOP).reason;
  assertStringIncludes(
    reason({ cause: "no-service", message: "Unit x is masked." }),
    "Unit x is masked",
  );
  assertStringIncludes(
    reason({
      cause: "library-missing",
      library: "libsecret-1",
      message: "undefined symbol: g_free",
    }),
    "libsecret-1 cannot be loaded: undefined symbol: g_free",
  );
  assertStringIncludes(
    reason({ cause: "locked", item: "visible", keyring: "Work" }),
    '"Work"',
  );
});

/** What ld.so and Deno say, and what is to be passed on of it. */
const LINKER: readonly [words: string, passedOn: string | undefined][] = [
  [
    "Could not open library: Could not open library: libsecret-1.so.0: cannot open shared object file: No such file or directory",
    undefined,
  ],
  [
    'Could not open library: Shared object "libsecret-1.so" not found, required by "deno"',
    undefined,
  ],
  ["freebsd has no such library", undefined],
  [
    "Could not open library: libgcrypt.so.20: cannot open shared object file: No such file or directory",
    "libgcrypt.so.20: cannot open shared object file: No such file or directory",
  ],
  [
    "Could not open library: /lib/libgio-2.0.so.0: undefined symbol: g_x",
    "/lib/libgio-2.0.so.0: undefined symbol: g_x",
  ],
  [
    "Could not open library: libsecret-1.so.0: file too short",
    "libsecret-1.so.0: file too short",
  ],
];

Deno.test("troubleOf() tells a broken library from a missing one", () => {
  for (const [words, message] of LINKER) {
    const error = new LibraryError("libsecret-1", { cause: new Error(words) });
    assertEquals<unknown>(troubleOf(error), {
      cause: "library-missing",
      library: "libsecret-1",
      ...(message === undefined ? {} : { message }),
    });
  }
});

Deno.test("describeTrouble() shows what is known of a locked item", () => {
  for (const item of ["visible", "none", "unknown"] as const) {
    assertEquals(
      describeTrouble({ cause: "locked", item }, DESKTOP).item,
      item,
    );
  }
  assertEquals("item" in describeTrouble({ cause: "locked" }, DESKTOP), false);
});

Deno.test("describeTrouble() names the distribution's package", () => {
  const cases: readonly [os: string, distributions: string[], string][] = [
    ["linux", ["debian"], "apt install libsecret-1-0"],
    ["linux", ["linuxmint", "ubuntu", "debian"], "apt install libsecret-1-0"],
    ["linux", ["fedora"], "dnf install libsecret"],
    ["linux", ["rocky", "rhel", "centos", "fedora"], "dnf install libsecret"],
    ["linux", ["manjaro", "arch"], "pacman -S libsecret"],
    ["linux", ["opensuse-leap", "suse", "opensuse"], "zypper install"],
    ["linux", ["alpine"], "apk add libsecret"],
    ["linux", ["unheard-of"], "`libsecret` or `libsecret-1-0`"],
    ["linux", [], "`libsecret` or `libsecret-1-0`"],
    ["freebsd", ["freebsd"], "pkg install libsecret"],
    ["netbsd", [], "pkgin install libsecret"],
    ["openbsd", [], "pkg_add libsecret"],
  ];
  for (const [os, distributions, expected] of cases) {
    assertStringIncludes(
      describeTrouble(
        { cause: "library-missing", library: "libsecret-1" },
        { ...DESKTOP, os, distributions },
      ).remedy,
      expected,
    );
  }
});

Deno.test("describeTrouble() tells how to open a sandbox", () => {
  const snap = describeTrouble({ cause: "access-denied" }, {
    ...DESKTOP,
    sandbox: { kind: "snap", name: "editor" },
  });
  assertEquals([snap.kind, snap.cause], ["denied", "sandboxed"]);
  assertStringIncludes(
    snap.remedy,
    "snap connect editor:password-manager-service",
  );
  // The proxy of a flatpak hides the name instead of refusing the call.
  for (const cause of ["access-denied", "no-service"] as const) {
    const flatpak = describeTrouble({ cause }, {
      ...DESKTOP,
      sandbox: { kind: "flatpak", name: "org.example.Editor" },
    });
    assertEquals([flatpak.kind, flatpak.cause], ["denied", "sandboxed"]);
    assert(flatpak.storeExists);
    assertStringIncludes(flatpak.remedy, "org.example.Editor");
  }
});

Deno.test("describeTrouble() has words of its own under WSL", () => {
  for (
    const trouble of [
      { cause: "no-service" },
      { cause: "no-bus", why: "unset" },
    ] as const
  ) {
    assertStringIncludes(
      describeTrouble(trouble, { ...DESKTOP, wsl: true }).remedy,
      "WSL",
    );
  }
});

Deno.test("distributionsOf() reads os-release(5)", () => {
  assertEquals(
    distributionsOf(
      'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
    ),
    ["linuxmint", "ubuntu", "debian"],
  );
  assertEquals(distributionsOf("VERSION_ID=1\nID='arch'\n"), ["arch"]);
  assertEquals(distributionsOf(""), []);
});
