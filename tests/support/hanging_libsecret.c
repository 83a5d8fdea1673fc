/* A libsecret whose every call that talks to the bus never comes back,
 * whatever its GCancellable says. */
#include <unistd.h>

#define HANGS(name) \
  void *name(void) { for (;;) pause(); }
#define ANSWERS(name) \
  void *name(void) { return 0; }

HANGS(secret_service_open_sync)
HANGS(secret_service_get_secret_for_dbus_path_sync)
HANGS(secret_service_prompt_at_dbus_path_sync)
ANSWERS(secret_service_get_type)
ANSWERS(secret_service_encode_dbus_secret)
ANSWERS(secret_value_new)
ANSWERS(secret_value_get)
ANSWERS(secret_value_unref)
