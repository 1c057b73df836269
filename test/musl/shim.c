/*
 * What npm's Node, Debian's libstdc++ and its libgcc_s ask of glibc, and musl has not. Only as much as the tests come by: Node starts
 * without contexts of OpenSSL's jobs, without traces of the native stack and without C++ exceptions.
 */
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;

/* The main thread's: musl tells its bounds by pthread_getattr_np, which Node asks first. */
void *__libc_stack_end = NULL;

/* libgcc's own, hidden behind a version of the symbol: no feature of the processor is told. */
unsigned int __cpu_model[4];

int __cpu_indicator_init(void) { return 0; }

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library) {
  (void)library;
  return pthread_atfork(prepare, parent, child);
}

int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  return fcntl(fd, command, argument);
}

const char *gnu_get_libc_version(void) { return "0.0"; }

size_t __strftime_l(char *text, size_t size, const char *format, const struct tm *time, locale_t locale) {
  return strftime_l(text, size, format, time, locale);
}

uint32_t arc4random(void) {
  uint32_t number;
  while (getrandom(&number, sizeof number, 0) != sizeof number) continue;
  return number;
}

/* Destructors of thread_local objects, the latest first, at the end of their thread. */
struct destructor {
  void (*run)(void *);
  void *object;
  struct destructor *next;
};

static pthread_key_t destructors;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_all(void *first) {
  for (struct destructor *one = first; one != NULL;) {
    struct destructor *next = one->next;
    one->run(one->object);
    free(one);
    one = next;
  }
}

static void make_key(void) { pthread_key_create(&destructors, run_all); }

int __cxa_thread_atexit_impl(void (*run)(void *), void *object, void *library) {
  (void)library;
  pthread_once(&once, make_key);
  struct destructor *one = malloc(sizeof *one);
  if (one == NULL) return -1;
  *one = (struct destructor){run, object, pthread_getspecific(destructors)};
  return pthread_setspecific(destructors, one);
}

/* No unwinding: an exception ends the process. */
int _dl_find_object(void *address, void *result) {
  (void)address, (void)result;
  return -1;
}

int backtrace(void **frames, int count) {
  (void)frames, (void)count;
  return 0;
}

char **backtrace_symbols(void *const *frames, int count) {
  (void)frames, (void)count;
  return NULL;
}

void backtrace_symbols_fd(void *const *frames, int count, int fd) { (void)frames, (void)count, (void)fd; }

int getcontext(void *context) {
  (void)context;
  return -1;
}

int setcontext(const void *context) {
  (void)context;
  return -1;
}

void makecontext(void *context, void (*function)(void), int count, ...) {
  (void)context, (void)function, (void)count;
  abort();
}
