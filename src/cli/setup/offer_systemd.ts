import { joinPath } from "../../base/paths.ts";
import { CRATES_IO_INDEX } from "../../cargo/registries.ts";
import { editToml } from "../../toml/edit.ts";
import { loadTomlParser } from "../../toml/document.ts";
import type { SetupArguments } from "../commands/setup.ts";
import type { CommandSession } from "../session.ts";
import { SessionError } from "../session.ts";
import { wants } from "./consent.ts";
import { replaceFile } from "./write_file.ts";

/** On a server without a Secret Service: the store that systemd has. */
export async function offerSystemd(
  args: SetupArguments,
  session: CommandSession,
): Promise<void> {
  if (Deno.build.os !== "linux") return;
  const place = await session.storeOf({ indexUrl: CRATES_IO_INDEX }, false);
  if (place.settings.store !== "auto") return;
  const prepared = await place.store.prepare({ signal: place.deadline() });
  if (prepared.kind !== "unreachable") return;
  const home = await session.home();
  const { SystemdStore } = await import("../../stores/systemd.ts");
  const systemd = new SystemdStore(home);
  const ready = await systemd.prepare({ signal: place.deadline() });
  // What is missing is said at the end.
  if (ready.kind !== "ready") return;
  const path = joinPath(home, "credential-keyring.toml");
  if (
    !await wants(
      args,
      session,
      `There is no Secret Service (${prepared.reason}), and systemd can ` +
        "encrypt the tokens for this machine. Use that (" +
        `\`store = "systemd"\` in ${path})?`,
    )
  ) return;
  const text = await Deno.readTextFile(path).catch(() => "");
  const edit = editToml(await loadTomlParser(), text, {
    kind: "set",
    path: ["store"],
    value: "systemd",
  });
  if ("refused" in edit) throw new SessionError(`${path} cannot be edited`);
  await replaceFile(path, edit.text.replace(/[^\n]$/, "$&\n"), {
    mode: 0o644,
  });
}
