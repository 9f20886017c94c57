"""What the relay needs of the kernel and the compiler, declared for C."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "<sys/socket.h>" nogil:
    struct iovec:
        void* iov_base
        size_t iov_len
    struct msghdr:
        void* msg_name
        uint32_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    struct sockaddr:
        pass
    int recvmmsg(int fd, mmsghdr* messages, unsigned int count, int flags, void* timeout)
    int sendmmsg(int fd, mmsghdr* messages, unsigned int count, int flags)
    long sendto(int fd, const void* data, size_t size, int flags, const sockaddr* to, uint32_t length)
    int setsockopt(int fd, int level, int option, const void* value, uint32_t length)
    int getsockopt(int fd, int level, int option, void* value, uint32_t* length)
    int SOL_SOCKET, SO_RCVBUF, SO_SNDBUF, SO_RCVBUFFORCE, SO_SNDBUFFORCE, SO_TIMESTAMPNS
    int accept4(int fd, sockaddr* address, uint32_t* length, int flags)
    long recv(int fd, void* data, size_t size, int flags)
    long send(int fd, const void* data, size_t size, int flags)
    int MSG_DONTWAIT, MSG_NOSIGNAL, MSG_TRUNC, AF_INET, AF_INET6, SOCK_NONBLOCK, SOCK_CLOEXEC

cdef extern from "<sys/epoll.h>" nogil:
    union epoll_data:
        void* ptr
    struct epoll_event:
        uint32_t events
        epoll_data data
    int epoll_create1(int flags)
    int epoll_ctl(int epoll, int operation, int fd, epoll_event* event)
    int epoll_wait(int epoll, epoll_event* events, int count, int timeout)
    int EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CLOEXEC
    uint32_t EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<netinet/tcp.h>" nogil:
    int TCP_NODELAY, TCP_NOTSENT_LOWAT, TCP_USER_TIMEOUT

cdef extern from "<netinet/in.h>" nogil:
    int IPPROTO_TCP

cdef extern from "<sys/mman.h>" nogil:
    void* mmap(void* address, size_t length, int protection, int flags, int fd, long offset)
    int munmap(void* address, size_t length)
    int PROT_READ, PROT_WRITE, MAP_SHARED
    void* MAP_FAILED

cdef extern from "<sys/random.h>" nogil:
    long getrandom(void* buffer, size_t size, unsigned int flags)

cdef extern from *:
    """
    #include <arpa/inet.h>
    #include <errno.h>
    #include <netinet/in.h>
    #include <stdint.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <time.h>

    static inline int64_t relay_clock_ns(int clock) {
        struct timespec t;
        clock_gettime(clock, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    }
    /* Kernel arrival time (CLOCK_REALTIME ns) of a received datagram, 0 where the kernel gave none. */
    static inline int64_t relay_arrival_ns(struct msghdr *m) {
        struct cmsghdr *c;
        for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS
                && c->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
                struct timespec t;
                memcpy(&t, CMSG_DATA(c), sizeof t);
                return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
            }
        return 0;
    }
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    #include <linux/filter.h>
    #ifndef SO_ATTACH_REUSEPORT_CBPF
    #define SO_ATTACH_REUSEPORT_CBPF 51
    #endif
    /* Of the two sockets that share a port the second gets every datagram that begins with `feedback`'s two
       octets, or with `report`'s and is no longer than `most`, and STUN requests where `checks` is 1; the first
       all else. */
    static inline int relay_sort_port(int fd, uint16_t feedback, uint16_t report, uint32_t most, int checks) {
        struct sock_filter steps[] = {
            BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, feedback, 5, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0001, 3, 0),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, report, 0, 4),
            BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, most, 2, 1),
            BPF_STMT(BPF_RET | BPF_K, checks), BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 0),
        };
        struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};
        return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0;
    }
    /* Whether the kernel knows UDP_SEGMENT (Linux 4.18). */
    static inline int relay_has_segments(int fd) {
        int none = 0;
        return setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none) == 0;
    }
    /* Ask for `size` octets a segment in a message's control data (room for 32 octets). */
    static inline void relay_set_segment(struct msghdr *m, void *room, uint16_t size) {
        struct cmsghdr *c = (struct cmsghdr *)room;
        m->msg_control = room;
        m->msg_controllen = CMSG_SPACE(sizeof size);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof size);
        memcpy(CMSG_DATA(c), &size, sizeof size);
    }
    static inline void relay_pause(long us) { struct timespec t = {0, us * 1000}; nanosleep(&t, NULL); }
    static inline int relay_errno(void) { return errno; }
    static inline void relay_store_release(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
    static inline void relay_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
    static inline uint16_t relay_get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
    static inline uint32_t relay_get24(const uint8_t *p) { return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]; }
    static inline uint32_t relay_get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
    static inline uint64_t relay_get64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return __builtin_bswap64(v); }
    static inline void relay_put16(uint8_t *p, uint16_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
    static inline void relay_put32(uint8_t *p, uint32_t v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }
    static inline void relay_put64(uint8_t *p, uint64_t v) { v = __builtin_bswap64(v); memcpy(p, &v, 8); }
    """
    int64_t clock_ns "relay_clock_ns"(int clock) noexcept nogil
    int64_t stamp_of "relay_arrival_ns"(msghdr* message) noexcept nogil
    bint sort_port "relay_sort_port"(int fd, uint16_t feedback, uint16_t report, uint32_t most,
                                     bint checks) noexcept nogil
    bint has_segments "relay_has_segments"(int fd) noexcept nogil
    void set_segment "relay_set_segment"(msghdr* message, void* room, uint16_t size) noexcept nogil
    void pause "relay_pause"(long us) noexcept nogil
    int last_errno "relay_errno"() noexcept nogil
    void store_release "relay_store_release"(uint64_t* place, uint64_t value) noexcept nogil
    void full_fence "relay_fence"() noexcept nogil
    uint16_t get16 "relay_get16"(const uint8_t* place) noexcept nogil
    uint32_t get24 "relay_get24"(const uint8_t* place) noexcept nogil
    uint32_t get32 "relay_get32"(const uint8_t* place) noexcept nogil
    uint64_t get64 "relay_get64"(const uint8_t* place) noexcept nogil
    void put16 "relay_put16"(uint8_t* place, uint16_t value) noexcept nogil
    void put32 "relay_put32"(uint8_t* place, uint32_t value) noexcept nogil
    void put64 "relay_put64"(uint8_t* place, uint64_t value) noexcept nogil
    int CLOCK_MONOTONIC, CLOCK_REALTIME
    int EAGAIN, EINTR, ENOBUFS, EMFILE, ENFILE, ENOMEM
