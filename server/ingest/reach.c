/* Where a thread may connect to: one address. Preloaded into the process that opens sources (reach.py), because
 * FFmpeg follows an RTSP redirect by itself, and one checked by asking first may be another when it is followed. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static __thread int confined;
static __thread unsigned char allowed[16];

static const unsigned char MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void map(unsigned char *place, const void *four) {
    memcpy(place, MAPPED, 12);
    memcpy(place + 12, four, 4);
}

/* "": anywhere again. -1: the text is no numeric address, and the thread may connect nowhere. */
int lianke_reach_only(const char *text) {
    unsigned char four[4];
    confined = text[0] != 0;
    memset(allowed, 0, sizeof allowed);
    if (!confined || inet_pton(AF_INET6, text, allowed) == 1) return 0;
    if (inet_pton(AF_INET, text, four) != 1) return -1;
    map(allowed, four);
    return 0;
}

static int may(const struct sockaddr *to, socklen_t length) {
    unsigned char wanted[16];
    if (!confined || !to || length < (socklen_t)sizeof to->sa_family) return 1;
    if (to->sa_family == AF_INET && length >= (socklen_t)sizeof(struct sockaddr_in))
        map(wanted, &((const struct sockaddr_in *)to)->sin_addr);
    else if (to->sa_family == AF_INET6 && length >= (socklen_t)sizeof(struct sockaddr_in6))
        memcpy(wanted, &((const struct sockaddr_in6 *)to)->sin6_addr, 16);
    else
        return to->sa_family != AF_INET && to->sa_family != AF_INET6;
    if (memcmp(wanted, allowed, 16) == 0) return 1;
    errno = EACCES;
    return 0;
}

int connect(int fd, const struct sockaddr *to, socklen_t length) {
    static int (*real)(int, const struct sockaddr *, socklen_t);
    if (!real) real = dlsym(RTLD_NEXT, "connect");
    return may(to, length) ? real(fd, to, length) : -1;
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length) {
    static ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
    if (!real) real = dlsym(RTLD_NEXT, "sendto");
    return may(to, length) ? real(fd, data, size, flags, to, length) : -1;
}
