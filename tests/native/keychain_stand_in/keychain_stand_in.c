/*
 * A stand-in for Security.framework and CoreFoundation, for tests only. It is
 * compiled by the tests and never shipped.
 *
 * It has the functions that ffi/security.ts and ffi/core_foundation.ts call,
 * with Apple's signatures, and keeps the items in a file, so that another
 * process finds them. It counts every object, every buffer and every dialog,
 * and it can be told to fail, to block, to be locked, or that a person sits in
 * front of it who allows, dismisses or stays away.
 *
 * What it does it does as apple-oss-distributions/Security 61901.0.87.0.1
 * reads (OSX/libsecurity_keychain/lib, securityd/src). That is not the real
 * thing. It cannot show:
 *  - that the real libraries load, and that the calls follow the ABI of Macs;
 *  - what the real access lists and partition lists let a rebuilt or re-signed
 *    program do: here a program is a number (stand_in_program);
 *  - which OSStatus securityd really gives, in which session;
 *  - how long anything takes, and what a real dialog looks like;
 *  - keychains other than the default one, and iCloud's.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

typedef int32_t OSStatus;
typedef uint32_t UInt32;
typedef unsigned char Boolean;
typedef const void *CFTypeRef;
typedef struct Object *SecKeychainRef, *SecKeychainItemRef, *SecKeychainSearchRef;

typedef struct {
  UInt32 tag;
  UInt32 length;
  void *data;
} SecKeychainAttribute;

typedef struct {
  UInt32 count;
  SecKeychainAttribute *attr;
} SecKeychainAttributeList;

enum {
  errSecSuccess = 0,
  errSecParam = -50,
  errSecUserCanceled = -128,
  errSecAuthFailed = -25293,
  errSecNoSuchKeychain = -25294,
  errSecDuplicateItem = -25299,
  errSecItemNotFound = -25300,
  errSecInvalidItemRef = -25304,
  errSecNoDefaultKeychain = -25307,
  errSecInteractionNotAllowed = -25308,
};

enum { GENP = 0x67656e70, SVCE = 0x73766365, ACCT = 0x61636374, LABL = 7 };

/* ---- What the tests set, and what they ask ------------------------------ */

enum person { NOBODY, ALLOWS, DISMISSES, MISTYPES, STAYS_AWAY };
enum default_keychain { EXISTS, FILE_MISSING, NONE_SET };
enum rival { NO_RIVAL, RIVAL_ADDS, RIVAL_DELETES };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static struct {
  char path[4096];
  int program;
  enum person person;
  enum default_keychain exists;
  enum rival rival;
  Boolean interaction_allowed;
  /* The credentials the keychain was opened with; securityd keeps them. */
  enum { NOT_OPEN, MAY_ASK, MAY_NOT_ASK } opened;
  int32_t dialogs, live_objects, live_buffers, unwiped, misuses, blocked;
  struct rule {
    char function[64];
    int nth, seen;
    OSStatus status;
    bool block;
  } rules[8];
  int rule_count;
} state;

void stand_in_reset(const char *path) {
  pthread_mutex_lock(&mutex);
  int32_t objects = state.live_objects, buffers = state.live_buffers;
  memset(&state, 0, sizeof state);
  state.live_objects = objects;
  state.live_buffers = buffers;
  state.program = 1;
  state.interaction_allowed = true;
  snprintf(state.path, sizeof state.path, "%s", path);
  pthread_mutex_unlock(&mutex);
}

void stand_in_program(int32_t program) { state.program = program; }
void stand_in_person(int32_t person) { state.person = (enum person)person; }
void stand_in_default_keychain(int32_t how) { state.exists = (enum default_keychain)how; }
void stand_in_rival(int32_t rival) { state.rival = (enum rival)rival; }
int32_t stand_in_dialogs(void) { return state.dialogs; }
int32_t stand_in_live_objects(void) { return state.live_objects; }
int32_t stand_in_live_buffers(void) { return state.live_buffers; }
int32_t stand_in_unwiped(void) { return state.unwiped; }
int32_t stand_in_misuses(void) { return state.misuses; }
int32_t stand_in_blocked(void) { return state.blocked; }

static struct rule *new_rule(const char *function, int32_t nth) {
  struct rule *rule = &state.rules[state.rule_count++ % 8];
  memset(rule, 0, sizeof *rule);
  snprintf(rule->function, sizeof rule->function, "%s", function);
  rule->nth = nth;
  return rule;
}

/* The nth call of the function (1: the next; 0: every one) returns status. */
void stand_in_fail(const char *function, int32_t nth, int32_t status) {
  new_rule(function, nth)->status = status;
}

/* The nth call of the function waits until stand_in_unblock. */
void stand_in_block(const char *function, int32_t nth) {
  new_rule(function, nth)->block = true;
}

void stand_in_unblock(void) {
  pthread_mutex_lock(&mutex);
  for (int i = 0; i < 8; i++) state.rules[i].block = false;
  if (state.person == STAYS_AWAY) state.person = DISMISSES;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

/* ---- The file ------------------------------------------------------------ */

typedef struct {
  UInt32 length;
  unsigned char *data;
} Bytes;

typedef struct {
  int64_t id;
  Bytes service, account, label, secret;
  int32_t programs[8]; /* who may read the secret without asking */
} Item;

typedef struct {
  int64_t last_id;
  int32_t locked;
  int32_t count;
  Item *items;
} Store;

static Bytes bytes_of(const void *data, UInt32 length) {
  Bytes bytes = { length, malloc(length + 1) };
  if (length > 0) memcpy(bytes.data, data, length);
  return bytes;
}

static bool same(Bytes a, Bytes b) {
  return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static Bytes read_bytes(FILE *file) {
  UInt32 length = 0;
  if (fread(&length, sizeof length, 1, file) != 1) abort();
  Bytes bytes = { length, malloc(length + 1) };
  if (length > 0 && fread(bytes.data, length, 1, file) != 1) abort();
  return bytes;
}

static void write_bytes(FILE *file, Bytes bytes) {
  fwrite(&bytes.length, sizeof bytes.length, 1, file);
  fwrite(bytes.data, 1, bytes.length, file);
}

static void free_item(Item *item) {
  free(item->service.data);
  free(item->account.data);
  free(item->label.data);
  free(item->secret.data);
}

/* Opens and locks the file, and reads it. */
static FILE *load(Store *store) {
  memset(store, 0, sizeof *store);
  FILE *file = fopen(state.path, "a+b");
  if (file == NULL) abort();
  flock(fileno(file), LOCK_EX);
  rewind(file);
  if (fread(&store->last_id, 8, 1, file) == 1) {
    if (fread(&store->locked, 4, 1, file) != 1) abort();
    if (fread(&store->count, 4, 1, file) != 1) abort();
    store->items = calloc((size_t)store->count + 1, sizeof(Item));
    for (int i = 0; i < store->count; i++) {
      Item *item = &store->items[i];
      if (fread(&item->id, 8, 1, file) != 1) abort();
      if (fread(item->programs, sizeof item->programs, 1, file) != 1) abort();
      item->service = read_bytes(file);
      item->account = read_bytes(file);
      item->label = read_bytes(file);
      item->secret = read_bytes(file);
    }
  } else {
    store->items = calloc(1, sizeof(Item));
  }
  return file;
}

static void unload(Store *store, FILE *file, bool write) {
  if (write) {
    if (ftruncate(fileno(file), 0) != 0 || fseek(file, 0, SEEK_END) != 0) abort();
    fwrite(&store->last_id, 8, 1, file);
    fwrite(&store->locked, 4, 1, file);
    fwrite(&store->count, 4, 1, file);
    for (int i = 0; i < store->count; i++) {
      Item *item = &store->items[i];
      fwrite(&item->id, 8, 1, file);
      fwrite(item->programs, sizeof item->programs, 1, file);
      write_bytes(file, item->service);
      write_bytes(file, item->account);
      write_bytes(file, item->label);
      write_bytes(file, item->secret);
    }
  }
  fclose(file);
  for (int i = 0; i < store->count; i++) free_item(&store->items[i]);
  free(store->items);
}

static Item *by_id(Store *store, int64_t id) {
  for (int i = 0; i < store->count; i++) {
    if (store->items[i].id == id) return &store->items[i];
  }
  return NULL;
}

static OSStatus insert(
  Store *store, Bytes service, Bytes account, Bytes label, Bytes secret, int32_t program
) {
  Item item = { 0, service, account, label, secret, { program } };
  for (int i = 0; i < store->count; i++) {
    if (same(store->items[i].service, service) && same(store->items[i].account, account)) {
      free_item(&item);
      return errSecDuplicateItem;
    }
  }
  item.id = ++store->last_id;
  store->items = realloc(store->items, ((size_t)store->count + 2) * sizeof(Item));
  store->items[store->count++] = item;
  return errSecSuccess;
}

static void take_out(Store *store, Item *item) {
  free_item(item);
  *item = store->items[--store->count];
}

int32_t stand_in_locked(void) {
  Store store;
  FILE *file = load(&store);
  int32_t locked = store.locked;
  unload(&store, file, false);
  return locked;
}

void stand_in_lock(int32_t locked) {
  Store store;
  FILE *file = load(&store);
  store.locked = locked;
  unload(&store, file, true);
}

int32_t stand_in_items(void) {
  Store store;
  FILE *file = load(&store);
  int32_t count = store.count;
  unload(&store, file, false);
  return count;
}

/* Puts an item there, as another program would. */
void stand_in_put(
  const void *service, UInt32 service_length, const void *account, UInt32 account_length,
  const void *secret, UInt32 secret_length, int32_t program
) {
  Store store;
  FILE *file = load(&store);
  insert(
    &store, bytes_of(service, service_length), bytes_of(account, account_length),
    bytes_of(service, service_length), bytes_of(secret, secret_length), program
  );
  unload(&store, file, true);
}

/*
 * Copies a part of the item at an index into a buffer: the service (0), the
 * account (1), the label (2), the secret (3). Returns its length, -1 for none.
 */
int32_t stand_in_peek(int32_t index, int32_t part, void *buffer, UInt32 size) {
  Store store;
  FILE *file = load(&store);
  int32_t length = -1;
  if (index < store.count) {
    Item *item = &store.items[index];
    Bytes parts[] = { item->service, item->account, item->label, item->secret };
    length = (int32_t)parts[part].length;
    memcpy(buffer, parts[part].data, parts[part].length < size ? parts[part].length : size);
  }
  unload(&store, file, false);
  return length;
}

/* ---- CoreFoundation ------------------------------------------------------ */

enum kind { KEYCHAIN = 0x4b43, ITEM, SEARCH };

struct Object {
  enum kind kind;
  int references;
  int64_t id; /* of the item; of the last item that the search has given */
  bool all;
  Bytes service;
};

static struct Object *new_object(enum kind kind) {
  struct Object *object = calloc(1, sizeof *object);
  object->kind = kind;
  object->references = 1;
  __sync_fetch_and_add(&state.live_objects, 1);
  return object;
}

static bool is(const struct Object *object, enum kind kind) {
  if (object != NULL && object->kind == kind && object->references > 0) return true;
  __sync_fetch_and_add(&state.misuses, 1);
  return false;
}

/* Freed objects are kept, so that a second release is seen and counted. */
void CFRelease(CFTypeRef cf) {
  struct Object *object = (struct Object *)cf;
  if (object == NULL || object->references <= 0) {
    __sync_fetch_and_add(&state.misuses, 1);
    return;
  }
  if (--object->references > 0) return;
  free(object->service.data);
  object->service.data = NULL;
  __sync_fetch_and_sub(&state.live_objects, 1);
}

/* ---- Security ------------------------------------------------------------ */

/* What happens before any call: it may have to fail, or to wait. */
static OSStatus enter(const char *function) {
  pthread_mutex_lock(&mutex);
  OSStatus status = errSecSuccess;
  for (int i = 0; i < 8; i++) {
    struct rule *rule = &state.rules[i];
    if (strcmp(rule->function, function) != 0) continue;
    rule->seen++;
    if (rule->nth != 0 && rule->nth != rule->seen) continue;
    if (rule->block) {
      state.blocked++;
      while (rule->block) pthread_cond_wait(&changed, &mutex);
      state.blocked--;
    }
    if (rule->status != 0) status = rule->status;
  }
  pthread_mutex_unlock(&mutex);
  return status;
}

#define ENTER() \
  do { \
    OSStatus told = enter(__func__); \
    if (told != errSecSuccess) return told; \
  } while (0)

/* A dialog of the SecurityAgent, if there is a screen to show it on. */
static OSStatus ask(void) {
  pthread_mutex_lock(&mutex);
  if (state.person != NOBODY) state.dialogs++;
  if (state.person == STAYS_AWAY) {
    state.blocked++;
    while (state.person == STAYS_AWAY) pthread_cond_wait(&changed, &mutex);
    state.blocked--;
  }
  enum person person = state.person;
  pthread_mutex_unlock(&mutex);
  switch (person) {
    case NOBODY: return errSecInteractionNotAllowed;
    case ALLOWS: return errSecSuccess;
    case MISTYPES: return errSecAuthFailed;
    default: return errSecUserCanceled;
  }
}

/* Opening keeps the credentials; the handle is cached for some seconds. */
static OSStatus open_keychain(void) {
  if (state.exists != EXISTS) return errSecNoSuchKeychain;
  if (state.opened == NOT_OPEN) state.opened = state.interaction_allowed ? MAY_ASK : MAY_NOT_ASK;
  return errSecSuccess;
}

/* What an operation on a locked keychain does first: establishOldSecrets. */
static OSStatus make_unlocked(void) {
  if (!stand_in_locked()) return errSecSuccess;
  if (state.opened == MAY_NOT_ASK) return errSecAuthFailed;
  OSStatus answer = ask();
  if (answer == errSecSuccess) stand_in_lock(false);
  return answer;
}

OSStatus SecKeychainSetUserInteractionAllowed(Boolean allowed) {
  ENTER();
  state.interaction_allowed = allowed;
  return errSecSuccess;
}

OSStatus SecKeychainCopyDefault(SecKeychainRef *keychain) {
  ENTER();
  if (state.exists == NONE_SET) return errSecNoDefaultKeychain;
  *keychain = new_object(KEYCHAIN);
  return errSecSuccess;
}

OSStatus SecKeychainGetStatus(SecKeychainRef keychain, UInt32 *status) {
  ENTER();
  if (!is(keychain, KEYCHAIN)) return errSecParam;
  OSStatus opened = open_keychain();
  if (opened != errSecSuccess) return opened;
  *status = stand_in_locked() ? 2 : 7;
  return errSecSuccess;
}

OSStatus SecKeychainUnlock(
  SecKeychainRef keychain, UInt32 passwordLength, const void *password, Boolean usePassword
) {
  ENTER();
  if (!is(keychain, KEYCHAIN)) return errSecParam;
  OSStatus opened = open_keychain();
  if (opened == errSecSuccess && usePassword) {
    static const char right[] = "the keychain's password";
    if (passwordLength != sizeof right - 1 || memcmp(password, right, passwordLength) != 0) {
      return errSecAuthFailed;
    }
    stand_in_lock(false);
    return errSecSuccess;
  }
  return opened != errSecSuccess ? opened : make_unlocked();
}

OSStatus SecKeychainSearchCreateFromAttributes(
  CFTypeRef keychainOrArray, UInt32 itemClass, const SecKeychainAttributeList *attrList,
  SecKeychainSearchRef *searchRef
) {
  ENTER();
  if (!is(keychainOrArray, KEYCHAIN) || itemClass != GENP) return errSecParam;
  if (attrList != NULL && (attrList->count != 1 || attrList->attr[0].tag != SVCE)) {
    return errSecParam;
  }
  struct Object *search = new_object(SEARCH);
  if (attrList == NULL) {
    search->all = true;
  } else {
    search->service = bytes_of(attrList->attr[0].data, attrList->attr[0].length);
  }
  *searchRef = search;
  return errSecSuccess;
}

OSStatus SecKeychainSearchCopyNext(SecKeychainSearchRef search, SecKeychainItemRef *itemRef) {
  ENTER();
  if (!is(search, SEARCH)) return errSecParam;
  /* As KCCursor does: a keychain that cannot be opened is passed over. */
  if (open_keychain() != errSecSuccess) return errSecItemNotFound;
  Store store;
  FILE *file = load(&store);
  Item *next = NULL;
  for (int i = 0; i < store.count; i++) {
    Item *item = &store.items[i];
    if (item->id <= search->id || (next != NULL && item->id > next->id)) continue;
    if (search->all || same(item->service, search->service)) next = item;
  }
  int64_t id = next == NULL ? 0 : next->id;
  unload(&store, file, false);
  if (id == 0) return errSecItemNotFound;
  search->id = id;
  *itemRef = new_object(ITEM);
  (*itemRef)->id = id;
  return errSecSuccess;
}

/* Buffers carry their length in front, so that freeing can look at them. */
static void *new_buffer(Bytes bytes) {
  uint64_t *start = malloc(sizeof *start + bytes.length + 1);
  *start = bytes.length;
  memcpy(start + 1, bytes.data, bytes.length);
  __sync_fetch_and_add(&state.live_buffers, 1);
  return start + 1;
}

static bool may_read(const Item *item) {
  for (int i = 0; i < 8; i++) {
    if (item->programs[i] == state.program) return true;
  }
  return false;
}

OSStatus SecKeychainItemCopyContent(
  SecKeychainItemRef itemRef, UInt32 *itemClass, SecKeychainAttributeList *attrList,
  UInt32 *length, void **outData
) {
  (void)itemClass;
  ENTER();
  if (!is(itemRef, ITEM)) return errSecParam;
  if (outData != NULL) {
    OSStatus unlocked = make_unlocked();
    if (unlocked != errSecSuccess) return unlocked;
  }
  Store store;
  FILE *file = load(&store);
  Item *item = by_id(&store, itemRef->id);
  OSStatus status = item == NULL ? errSecInvalidItemRef : errSecSuccess;
  bool write = false;
  if (status == errSecSuccess && outData != NULL && !may_read(item)) {
    status = state.interaction_allowed ? ask() : errSecAuthFailed;
    if (status == errSecSuccess) {
      for (int i = 0; i < 8; i++) {
        if (item->programs[i] != 0) continue;
        item->programs[i] = state.program;
        break;
      }
      write = true;
    }
  }
  if (status == errSecSuccess) {
    for (UInt32 i = 0; attrList != NULL && i < attrList->count; i++) {
      SecKeychainAttribute *attr = &attrList->attr[i];
      Bytes value = attr->tag == SVCE ? item->service
        : attr->tag == ACCT ? item->account : item->label;
      attr->data = value.length == 0 ? NULL : new_buffer(value);
      attr->length = value.length;
    }
    if (outData != NULL) {
      *outData = new_buffer(item->secret);
      if (length != NULL) *length = item->secret.length;
    }
  }
  unload(&store, file, write);
  return status;
}

static void free_buffer(void *data) {
  if (data == NULL) return;
  free((uint64_t *)data - 1);
  __sync_fetch_and_sub(&state.live_buffers, 1);
}

OSStatus SecKeychainItemFreeContent(SecKeychainAttributeList *attrList, void *data) {
  ENTER();
  for (UInt32 i = 0; attrList != NULL && i < attrList->count; i++) {
    free_buffer(attrList->attr[i].data);
    attrList->attr[i].data = NULL;
  }
  if (data != NULL) {
    const unsigned char *bytes = data;
    uint64_t length = *((uint64_t *)data - 1);
    bool wiped = true;
    for (uint64_t i = 0; i < length; i++) wiped = wiped && bytes[i] == 0;
    if (!wiped) __sync_fetch_and_add(&state.unwiped, 1);
    free_buffer(data);
  }
  return errSecSuccess;
}

/* Another program is quicker, once. */
static void let_rival(enum rival rival, Store *store, Bytes service) {
  if (state.rival != rival) return;
  state.rival = NO_RIVAL;
  if (rival == RIVAL_ADDS) {
    insert(
      store, bytes_of(service.data, service.length), bytes_of("", 0),
      bytes_of(service.data, service.length), bytes_of("rival", 5), state.program
    );
    return;
  }
  for (int i = 0; i < store->count; i++) {
    if (same(store->items[i].service, service)) take_out(store, &store->items[i--]);
  }
}

OSStatus SecKeychainItemModifyContent(
  SecKeychainItemRef itemRef, const SecKeychainAttributeList *attrList, UInt32 length,
  const void *data
) {
  ENTER();
  if (!is(itemRef, ITEM) || attrList != NULL) return errSecParam;
  OSStatus unlocked = make_unlocked();
  if (unlocked != errSecSuccess) return unlocked;
  Store store;
  FILE *file = load(&store);
  Item *item = by_id(&store, itemRef->id);
  if (item != NULL) {
    Bytes service = bytes_of(item->service.data, item->service.length);
    let_rival(RIVAL_DELETES, &store, service);
    free(service.data);
    item = by_id(&store, itemRef->id);
  }
  OSStatus status = item == NULL ? errSecInvalidItemRef : errSecSuccess;
  /* Without data the secret stays: ItemImpl::modifyContent. */
  if (status == errSecSuccess && data != NULL) {
    free(item->secret.data);
    item->secret = bytes_of(data, length);
  }
  unload(&store, file, true);
  return status;
}

OSStatus SecKeychainAddGenericPassword(
  SecKeychainRef keychain, UInt32 serviceNameLength, const char *serviceName,
  UInt32 accountNameLength, const char *accountName, UInt32 passwordLength,
  const void *passwordData, SecKeychainItemRef *itemRef
) {
  ENTER();
  if (!is(keychain, KEYCHAIN) || itemRef != NULL) return errSecParam;
  if (passwordLength > 0 && passwordData == NULL) return errSecParam;
  OSStatus status = open_keychain();
  if (status == errSecSuccess) status = make_unlocked();
  if (status != errSecSuccess) return status;
  Store store;
  FILE *file = load(&store);
  Bytes service = { serviceNameLength, (unsigned char *)serviceName };
  let_rival(RIVAL_ADDS, &store, service);
  status = insert(
    &store, bytes_of(serviceName, serviceNameLength), bytes_of(accountName, accountNameLength),
    bytes_of(serviceName, serviceNameLength), bytes_of(passwordData, passwordLength),
    state.program
  );
  unload(&store, file, true);
  return status;
}

OSStatus SecKeychainItemDelete(SecKeychainItemRef itemRef) {
  ENTER();
  if (!is(itemRef, ITEM)) return errSecParam;
  Store store;
  FILE *file = load(&store);
  Item *item = by_id(&store, itemRef->id);
  if (item != NULL) {
    Bytes service = bytes_of(item->service.data, item->service.length);
    let_rival(RIVAL_DELETES, &store, service);
    free(service.data);
    item = by_id(&store, itemRef->id);
  }
  if (item != NULL) take_out(&store, item);
  unload(&store, file, true);
  return item == NULL ? errSecInvalidItemRef : errSecSuccess;
}
