import { assertEquals } from "@std/assert";
import {
  cargoHome,
  type Environment,
  isOutOfReach,
} from "../../src/cargo/home.ts";

const UNIX: [
  name: string,
  environment: Environment,
  home: string | undefined,
][] = [
  ["CARGO_HOME", { CARGO_HOME: "/c", HOME: "/h" }, "/c"],
  ["a relative CARGO_HOME", { CARGO_HOME: "../c" }, "/w/../c"],
  [
    "HOME where CARGO_HOME is empty",
    { CARGO_HOME: "", HOME: "/h" },
    "/h/.cargo",
  ],
  ["HOME alone", { HOME: "/h", USERPROFILE: "/u" }, "/h/.cargo"],
  ["the system's home", {}, "/sys/.cargo"],
];

for (const [name, environment, home] of UNIX) {
  Deno.test(`cargoHome() takes ${name}`, () => {
    const options = { style: "unix", systemHome: "/sys" } as const;
    assertEquals(cargoHome(environment, "/w", options), home);
  });
}

Deno.test("cargoHome() finds none where nothing names one", () => {
  assertEquals(cargoHome({}, "/w", { style: "unix" }), undefined);
});

const WINDOWS: typeof UNIX = [
  ["CARGO_HOME", { CARGO_HOME: "D:\\c" }, "D:\\c"],
  ["a relative CARGO_HOME", { CARGO_HOME: "c" }, "C:\\w\\c"],
  [
    "USERPROFILE, not HOME",
    { HOME: "C:\\h", USERPROFILE: "C:\\u" },
    "C:\\u\\.cargo",
  ],
  [
    "the profile where USERPROFILE is empty",
    { USERPROFILE: "" },
    "C:\\p\\.cargo",
  ],
];

for (const [name, environment, home] of WINDOWS) {
  Deno.test(`cargoHome() takes ${name} on Windows`, () => {
    const options = { style: "windows", systemHome: "C:\\p" } as const;
    assertEquals(cargoHome(environment, "C:\\w", options), home);
  });
}

// Homes and variables that are no text: `tests/e2e/odd_surroundings_test.ts`.
if (Deno.build.os === "linux") {
  Deno.test("isOutOfReach() knows what lies below /dev, by a link as well", async () => {
    const directory = await Deno.makeTempDir();
    try {
      const link = `${directory}/link`;
      await Deno.symlink("/dev/shm", link);
      assertEquals(
        ["/dev/shm", link, `${link}/`, directory, `${directory}/none`]
          .map(isOutOfReach),
        [true, true, true, false, false],
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
