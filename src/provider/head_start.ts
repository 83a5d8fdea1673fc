import {
  cargoHome,
  currentDirectory,
  type Environment,
  unreadableHome,
} from "../cargo/home.ts";
import { anySettings } from "../settings/any_settings.ts";

/**
 * Begins to connect to the store that a `get` asks, so that the rest of this
 * program is loaded while others work. That nobody speaks against the store is
 * told here by what is not there: then the defaults hold, and a `get` asks the
 * store in any case. Otherwise nothing is begun, and the store is opened when
 * it is asked.
 *
 * @param signal The request's: the connection is for whoever has the same.
 */
export async function headStart(signal: AbortSignal): Promise<void> {
  if (Deno.build.os !== "linux" || !isOrdinary(Deno.env.toObject())) return;
  const { connect } = await import("../stores/secret_service_session.ts");
  connect(signal);
  // It is there when the store is asked; what goes wrong shows then.
  import("../stores/open_libsecret.ts").catch(() => {});
}

/**
 * Variables that may hold a token or lead to its file, or choose another
 * backend of libsecret's. Those that name its file are among the settings'.
 */
const SPEAKS_AGAINST =
  /^(?:CARGO_REGISTRY_TOKEN|CARGO_REGISTRIES_.*_TOKEN|CREDENTIALS_DIRECTORY|SECRET_BACKEND|FLATPAK_ID|SNAP)$/s;

/**
 * Whether nothing in the environment and no settings file speaks against the
 * store.
 */
export function isOrdinary(env: Environment): boolean {
  if (Object.keys(env).some((name) => SPEAKS_AGAINST.test(name))) return false;
  const home = cargoHome(env, currentDirectory());
  return home !== undefined && unreadableHome(env, home) === undefined &&
    !anySettings({ env, cargoHome: home, os: Deno.build.os, indexUrl: "" });
}
