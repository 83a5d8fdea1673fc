/* A libsecret whose every call that talks to the bus never comes back,
 * whatever its GCancellable says. */
#include <unistd.h>

#define HANGS(name) \
  void *name(void) { for (;;) pause(); }
#define ANSWERS(name) \
  void *name(void) { return 0; }

HANGS(secret_service_open_sync)
HANGS(secret_service_search_sync)
HANGS(secret_service_search_for_dbus_paths_sync)
HANGS(secret_service_get_secret_for_dbus_path_sync)
HANGS(secret_service_unlock_sync)
HANGS(secret_collection_for_alias_sync)
HANGS(secret_collection_create_sync)
HANGS(secret_item_new_for_dbus_path_sync)
HANGS(secret_item_create_sync)
HANGS(secret_item_load_secret_sync)
HANGS(secret_item_delete_sync)
ANSWERS(secret_service_get_type)
ANSWERS(secret_collection_get_locked)
ANSWERS(secret_item_get_secret)
ANSWERS(secret_item_get_locked)
ANSWERS(secret_item_get_label)
ANSWERS(secret_item_get_attributes)
ANSWERS(secret_value_new)
ANSWERS(secret_value_get)
ANSWERS(secret_value_unref)
