/*
 * floor PORT CONNECTIONS DIR LIST: the least a downloader has to do.
 *
 * Fetches the paths in LIST (one a line) from 127.0.0.1:PORT over keep-alive
 * HTTP/1.1 connections and writes each to DIR under its last part: epoll, one
 * request at a time on each connection, open, write, close. No names resolved,
 * no part files, no retries, no TLS; it believes Content-Length, expects a
 * response's header in one piece, and gives up at the first surprise. What a
 * real downloader takes beyond this is its own.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

struct conn {
    int sock;
    int file; /* -1 while the header is read */
    long long left;
    char *name;
};

static char buffer[BUFFER];
static int epoll, out_dir, busy;
static FILE *list;

static void die(const char *what) {
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Sends the next request of the list, or closes the connection at its end. */
static void next_request(struct conn *c) {
    static char line[1024];
    char request[1200];
    const char *slash;
    int size;

    if (!fgets(line, sizeof line, list)) {
        close(c->sock);
        busy--;
        return;
    }
    line[strcspn(line, "\n")] = '\0';
    slash = strrchr(line, '/');
    free(c->name);
    c->name = strdup(slash ? slash + 1 : line);
    c->file = -1;
    size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", line);
    if (!c->name || send(c->sock, request, (size_t)size, MSG_NOSIGNAL) != size) {
        die("send");
    }
}

static void body(struct conn *c, const char *data, size_t size) {
    if ((long long)size > c->left) {
        size = (size_t)c->left;
    }
    c->left -= (long long)size;
    while (size > 0) {
        ssize_t done = write(c->file, data, size);

        if (done < 0) {
            die(c->name);
        }
        data += done;
        size -= (size_t)done;
    }
    if (c->left == 0) {
        close(c->file);
        next_request(c);
    }
}

static void header(struct conn *c, size_t size) {
    const char *end, *length;

    buffer[size] = '\0';
    end = strstr(buffer, "\r\n\r\n");
    length = strcasestr(buffer, "\r\nContent-Length:");
    if (!end || !length || length > end || strncmp(buffer, "HTTP/1.1 200", 12) != 0) {
        errno = EPROTO;
        die(c->name);
    }
    c->left = atoll(length + 17);
    c->file = openat(out_dir, c->name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
    if (c->file < 0) {
        die(c->name);
    }
    end += 4;
    body(c, end, size - (size_t)(end - buffer));
}

static void readable(struct conn *c) {
    ssize_t size = recv(c->sock, buffer, BUFFER - 1, MSG_DONTWAIT);

    if (size < 0 && errno == EAGAIN) {
        return;
    }
    if (size <= 0) {
        die("recv");
    }
    if (c->file < 0) {
        header(c, (size_t)size);
    } else {
        body(c, buffer, (size_t)size);
    }
}

static void start(struct conn *c, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->sock < 0 || connect(c->sock, (struct sockaddr *)&to, sizeof to) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->sock, &event) < 0) {
        die("connect");
    }
    busy++;
    next_request(c);
}

int main(int argc, char **argv) {
    struct epoll_event events[64];
    struct conn *conns;
    int count;

    if (argc != 5) {
        fputs("usage: floor PORT CONNECTIONS DIR LIST\n", stderr);
        return 2;
    }
    count = atoi(argv[2]);
    conns = calloc((size_t)count, sizeof *conns);
    list = fopen(argv[4], "r");
    out_dir = open(argv[3], O_DIRECTORY | O_RDONLY | O_CLOEXEC);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!conns || !list || out_dir < 0 || epoll < 0) {
        die(argv[3]);
    }
    for (int i = 0; i < count; i++) {
        start(&conns[i], atoi(argv[1]));
    }
    while (busy > 0) {
        int ready = epoll_wait(epoll, events, 64, -1);

        for (int i = 0; i < ready; i++) {
            readable(events[i].data.ptr);
        }
    }
    return 0;
}
