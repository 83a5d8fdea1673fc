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
    [new GLibError("secret-error", 3, ""), "no-default-collection"],
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
  assertEquals(of(message), { cause, message, badSession: true });
  assertEquals(of("It broke."), { cause, message: "It broke." });
});

const TROUBLES: readonly Trouble[] = [
  { cause: "library-missing", library: "libsecret-1" },
  { cause: "no-bus", why: "unset" },
  { cause: "no-bus", why: "unusable" },
  { cause: "no-bus", why: "gone" },
  { cause: "foreign-bus" },
  { cause: "no-service" },
  { cause: "no-default-collection" },
  { cause: "service-failed", message: "It broke." },
  { cause: "locked", item: "visible" },
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
  { os: "freebsd", distributions: [], wsl: false },
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

Deno.test("describeTrouble() says where no store exists", () => {
  for (const trouble of TROUBLES) {
    assertEquals(
      describeTrouble(trouble, DESKTOP).storeExists,
      !["library-missing", "no-bus", "no-service"].includes(trouble.cause),
      trouble.cause,
    );
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
        { os, distributions, wsl: false },
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
