// The question for a token, with the real cargo: it has its own time, longer
// than that of a dialog, and nothing breaks into it.

import { assert, assertEquals } from "@std/assert";
import { runInPty } from "../support/pty.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { TestHome } from "../support/test_home.ts";

const TOKEN = "planted-typed-late-77";

/** Types late: long after every timeout of this test has passed. */
const LATE = `(sleep 4; printf "now it is late" >/dev/tty) & exec "$@"`;

if (Deno.build.os === "linux") {
  Deno.test("a token that is typed late is stored, and nothing is said meanwhile", async () => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({ bus });
    const { code, output } = await runInPty(
      [
        "/bin/sh",
        "-c",
        LATE,
        "sh",
        ...home.command(["login", "--registry", "alt"]),
      ],
      {
        env: {
          ...home.env,
          CARGO_CREDENTIAL_KEYRING_TIMEOUT: "3",
          CARGO_CREDENTIAL_KEYRING_PROMPT_TIMEOUT: "3",
        },
        cwd: home.work,
        steps: [
          { expect: "please paste the token", send: "" },
          { expect: "now it is late", send: `${TOKEN}\r` },
        ],
      },
    );
    assertEquals(code, 0, output);
    assert(!output.includes("waiting for"), output);
    assert(!output.includes(TOKEN), output);
    assertEquals((await bus.items()).map(({ secret }) => secret), [TOKEN]);
  });
}
