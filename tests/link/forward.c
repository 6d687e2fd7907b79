/*
 * forward.c - a bad link between a TCP client and its server, for tests.
 *
 * usage: forward [-l ADDRESS] [-p PORT] [-s SEED] ADDRESS PORT [COMMAND...]
 *
 * Listens on ADDRESS (127.0.0.1) and PORT (any that is free), prints the port,
 * and forwards every connection to the ADDRESS and PORT named last.  Addresses
 * are numeric.  `up` is from who connects to the server, `down` the other way.
 * All connections share the link.  Needs no rights.
 *
 * Commands, each a line on stdin (or an argument, for the start) and answered
 * by a line; without `up` or `down` they are for both ways:
 *
 *	rate [up|down] N	bits a second; 0, as at the start: no limit
 *	queue [up|down] N	octets that wait before the rate, as in a modem
 *				(4096); over it, nothing more is read
 *	delay [up|down] MS	of every octet
 *	jitter [up|down] MS	and up to so much more, its order kept
 *	loss [up|down] PERCENT	of the packets; see below
 *	cut [up|down]		forward nothing more, close nothing: half-open
 *	heal [up|down]		go on with what was under way
 *	drop			reset all connections
 *	stats			`up N down N open N`: octets delivered so far,
 *				connections
 *
 * Ends at the end of stdin, and resets what is open.
 *
 * Loss is not loss: a program above TCP never sees a packet missing, it sees
 * that nothing comes until the packet has been sent again, and then all that
 * came behind it at once.  That is what is made here: a packet of 1448 octets
 * that is "lost" is late by a round trip and 200 ms, by twice that if it is
 * lost again, and so on, and holds up what is behind it.  What TCP does besides
 * is left out: the sender's window does not shrink, so more is carried than a
 * real link of that loss would carry, and no ACK or SYN is lost.
 *
 * For the same reason a new connection to a link that is cut is made, as the
 * kernel answers; it stays silent until the link is healed.  And the sender's
 * kernel has its own queue, which is not ours to bound; the receiver's half of
 * it is kept small here (SO_RCVBUF), so that a sender feels the link soon.
 */
#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "num.h"

#define UP	0
#define DOWN	1
#define PACKET	1448u		/* octets */
#define PACKETS	1024u		/* under way in one half, at most */
#define BUFFER	(1u << 20)	/* octets of the same */
#define CONNS	64
#define SOCKBUF	8192
#define RTO_US	200000u
#define LOST_US	60000000u	/* nothing is later than that */
#define WORDS	3

/* One direction of the link.  Settings are what the commands say. */
struct way {
	uint64_t	rate, queue, delay, jitter, loss;
	bool		cut;
	uint64_t	busy_us;	/* until then it carries what it has */
	uint64_t	octets;		/* delivered */
};

struct packet {
	uint64_t	due_us;
	size_t		len;
};

/* One direction of a connection: what was read and not written yet. */
struct half {
	struct packet	packets[PACKETS];
	unsigned int	first, count;
	uint64_t	due_us;		/* of the last */
	size_t		at, len;
	bool		eof, shut;
	char		data[BUFFER];
};

struct conn {
	TAILQ_ENTRY(conn) next;
	int		 fd[2];		/* who connected; the server */
	struct pollfd	*poll[2];
	bool		 broken;
	struct half	 half[2];	/* half[n] is read from fd[n] */
};

static struct way ways[2];
static TAILQ_HEAD(, conn) conns = TAILQ_HEAD_INITIALIZER(conns);
static unsigned int nconns;
static struct addrinfo *server;
static uint64_t rng = 1;

static uint64_t
clock_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A number below N.  splitmix64 */
static uint64_t
below(uint64_t n)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (z ^ (z >> 31)) % n;
}

/* ---- the link ------------------------------------------------------------ */

/* How long retransmissions hold a packet up. */
static uint64_t
lost_us(const struct way *w)
{
	uint64_t again = (ways[UP].delay + ways[DOWN].delay) * 1000 + RTO_US;
	uint64_t us = 0;

	for (; us < LOST_US && below(100) < w->loss; again *= 2)
		us += again;
	return us;
}

/* When N octets that enter the link now come out of it. */
static uint64_t
carried(struct way *w, size_t n, uint64_t now)
{
	if (w->busy_us < now)
		w->busy_us = now;
	if (w->rate > 0)
		w->busy_us += n * 8000000 / w->rate;
	return w->busy_us + w->delay * 1000 +
	    (w->jitter > 0 ? below(w->jitter * 1000) : 0) + lost_us(w);
}

/* When the link's queue has room again: now or earlier if it has. */
static uint64_t
room_at(const struct way *w)
{
	uint64_t full = w->rate > 0 ? w->queue * 8000000 / w->rate : 0;

	return w->busy_us > full ? w->busy_us - full : 0;
}

/* ---- a connection -------------------------------------------------------- */

/* When more can be read of this half: UINT64_MAX: after another event. */
static uint64_t
reads_at(const struct half *h, const struct way *w)
{
	return h->eof || w->cut || h->count == PACKETS || h->len == BUFFER ?
	    UINT64_MAX : room_at(w);
}

/* When this half has something to write. */
static uint64_t
writes_at(const struct half *h, const struct way *w)
{
	if (w->cut || h->shut || (h->count == 0 && !h->eof))
		return UINT64_MAX;
	return h->count > 0 ? h->packets[h->first].due_us : 0;
}

static bool
passing(ssize_t n)
{
	return n == -1 && (errno == EAGAIN || errno == EINTR);
}

/* Read one packet. */
static void
half_read(struct conn *c, unsigned int from, uint64_t now)
{
	struct half *h = &c->half[from];
	struct way *w = &ways[from];
	size_t end = (h->at + h->len) % BUFFER, max = BUFFER - h->len;
	struct packet *p;
	ssize_t n;

	if (max > BUFFER - end)
		max = BUFFER - end;
	if (max > PACKET && (w->rate > 0 || w->loss > 0))
		max = PACKET;
	n = read(c->fd[from], h->data + end, max);
	if (n <= 0) {
		h->eof = n == 0;
		c->broken = n == -1 && !passing(n);
		return;
	}
	p = &h->packets[(h->first + h->count++) % PACKETS];
	p->len = (size_t)n;
	p->due_us = carried(w, p->len, now);
	if (p->due_us < h->due_us)
		p->due_us = h->due_us;
	h->due_us = p->due_us;
	h->len += p->len;
}

/* Write what is due of the first packet; behind the last, its end. */
static void
half_write(struct conn *c, unsigned int from)
{
	struct half *h = &c->half[from];
	struct packet *p = &h->packets[h->first];
	size_t max;
	ssize_t n;

	if (h->count == 0) {
		h->shut = true;
		(void)shutdown(c->fd[!from], SHUT_WR);
		return;
	}
	max = p->len < BUFFER - h->at ? p->len : BUFFER - h->at;
	n = send(c->fd[!from], h->data + h->at, max, MSG_NOSIGNAL);
	if (n == -1) {
		c->broken = !passing(n) && errno != ENOTCONN;
		return;
	}
	ways[from].octets += (uint64_t)n;
	h->at = (h->at + (size_t)n) % BUFFER;
	h->len -= (size_t)n;
	p->len -= (size_t)n;
	if (p->len == 0) {
		h->first = (h->first + 1) % PACKETS;
		h->count--;
	}
}

/* RESET: as if the other end were not there any more. */
static void
conn_free(struct conn *c, bool reset)
{
	struct linger now = { 1, 0 };
	int i;

	for (i = 0; i < 2; i++) {
		if (reset)
			(void)setsockopt(c->fd[i], SOL_SOCKET, SO_LINGER, &now,
			    sizeof now);
		close(c->fd[i]);
	}
	TAILQ_REMOVE(&conns, c, next);
	nconns--;
	free(c);
}

static void
drop_all(void)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&conns)) != NULL)
		conn_free(c, true);
}

static void
small_buffers(int fd)
{
	int size = SOCKBUF, segment = PACKET, on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment,
	    sizeof segment) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1)
		err(1, "setsockopt");
}

static int
dial(void)
{
	int fd = socket(server->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		err(1, "socket");
	small_buffers(fd);
	/* that it fails is seen at the first read */
	(void)connect(fd, server->ai_addr, server->ai_addrlen);
	return fd;
}

static void
conn_new(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct conn *c;

	if (fd == -1)
		return;
	if ((c = calloc(1, sizeof *c)) == NULL)
		err(1, NULL);
	c->fd[0] = fd;
	c->fd[1] = dial();
	TAILQ_INSERT_TAIL(&conns, c, next);
	nconns++;
}

/* ---- commands ------------------------------------------------------------ */

static const struct {
	const char	*verb;
	size_t		 field;		/* in struct way */
	uint64_t	 min, max;
} settings[] = {
	{ "rate", offsetof(struct way, rate), 0, UINT64_C(10000000000) },
	{ "queue", offsetof(struct way, queue), 1, BUFFER },
	{ "delay", offsetof(struct way, delay), 0, 60000 },
	{ "jitter", offsetof(struct way, jitter), 0, 60000 },
	{ "loss", offsetof(struct way, loss), 0, 90 },
};

/* VERB [up|down] NUMBER; returns false if it is not. */
static bool
set(const char *verb, bool up, bool down, const char *value)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < sizeof settings / sizeof settings[0]; i++)
		if (strcmp(verb, settings[i].verb) == 0)
			break;
	if (i == sizeof settings / sizeof settings[0] || value == NULL ||
	    num_parse_str(value, settings[i].min, settings[i].max, &v) == -1)
		return false;
	if (up)
		memcpy((char *)&ways[UP] + settings[i].field, &v, sizeof v);
	if (down)
		memcpy((char *)&ways[DOWN] + settings[i].field, &v, sizeof v);
	return true;
}

static bool
cut_or_heal(const char *verb, bool up, bool down)
{
	bool cut = strcmp(verb, "cut") == 0;

	if (!cut && strcmp(verb, "heal") != 0)
		return false;
	ways[UP].cut = up ? cut : ways[UP].cut;
	ways[DOWN].cut = down ? cut : ways[DOWN].cut;
	return true;
}

/* Returns what to answer. */
static const char *
command(char *line)
{
	static char stats[96];
	char *word[WORDS + 1] = { NULL }, *rest = line;
	bool up, down;
	int n = 0;

	while (n <= WORDS && (word[n] = strsep(&rest, " ")) != NULL)
		n++;
	if (n == 1 && strcmp(word[0], "drop") == 0) {
		drop_all();
		return "ok";
	}
	if (n == 1 && strcmp(word[0], "stats") == 0) {
		(void)snprintf(stats, sizeof stats, "up %" PRIu64 " down %"
		    PRIu64 " open %u", ways[UP].octets, ways[DOWN].octets,
		    nconns);
		return stats;
	}
	up = n > 1 && strcmp(word[1], "up") == 0;
	down = n > 1 && strcmp(word[1], "down") == 0;
	n -= up || down;
	if (n == 1 && cut_or_heal(word[0], up || !down, down || !up))
		return "ok";
	if (n == 2 && set(word[0], up || !down, down || !up,
	    word[up || down ? 2 : 1]))
		return "ok";
	return "no such command";
}

/* Returns false at the end of stdin. */
static bool
commands(void)
{
	static char buf[256];
	static size_t len;
	ssize_t n = read(STDIN_FILENO, buf + len, sizeof buf - len);
	char *end;

	if (n == -1 && errno == EINTR)
		return true;
	if (n <= 0)
		return false;
	len += (size_t)n;
	while ((end = memchr(buf, '\n', len)) != NULL) {
		*end++ = '\0';
		printf("%s\n", command(buf));
		len -= (size_t)(end - buf);
		memmove(buf, end, len);
	}
	return len < sizeof buf && fflush(stdout) == 0;
}

/* ---- the loop ------------------------------------------------------------ */

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What to poll for a connection; returns when to look again at the latest. */
static uint64_t
conn_poll(struct conn *c, struct pollfd *pfd, uint64_t now)
{
	uint64_t wake = UINT64_MAX, reads, writes;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		reads = reads_at(&c->half[i], &ways[i]);
		writes = writes_at(&c->half[!i], &ways[!i]);
		pfd[i].events = (short)((reads <= now ? POLLIN : 0) |
		    (writes <= now ? POLLOUT : 0));
		pfd[i].fd = pfd[i].events != 0 ? c->fd[i] : -1;
		pfd[i].revents = 0;
		c->poll[i] = &pfd[i];
		if (reads > now)
			wake = least(wake, reads);
		if (writes > now)
			wake = least(wake, writes);
	}
	return wake;
}

static void
conn_work(struct conn *c, uint64_t now)
{
	unsigned int i;
	short events;

	for (i = 0; i < 2 && !c->broken; i++) {
		events = c->poll[i]->revents;
		if ((events & (POLLOUT | POLLERR)) != 0 &&
		    writes_at(&c->half[!i], &ways[!i]) <= now)
			half_write(c, !i);
		if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		    !c->broken && reads_at(&c->half[i], &ways[i]) <= now)
			half_read(c, i, now);
	}
	if (c->broken || (c->half[UP].shut && c->half[DOWN].shut))
		conn_free(c, c->broken);
}

static void
wait_until(struct pollfd *pfd, nfds_t n, uint64_t wake, uint64_t now)
{
	struct timespec ts;

	if (wake != UINT64_MAX) {
		wake = wake > now ? wake - now : 0;
		ts.tv_sec = (time_t)(wake / 1000000);
		ts.tv_nsec = (long)(wake % 1000000 * 1000);
	}
	if (ppoll(pfd, n, wake != UINT64_MAX ? &ts : NULL, NULL) == -1 &&
	    errno != EINTR)
		err(1, "poll");
}

static void
forward(int listener)
{
	static struct pollfd pfd[2 + 2 * CONNS];
	struct conn *c, *next;
	uint64_t wake, now;
	nfds_t n;

	do {
		now = clock_us();
		wake = UINT64_MAX;
		n = 2;
		pfd[0] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };
		pfd[1] = (struct pollfd){ nconns < CONNS ? listener : -1,
		    POLLIN, 0 };
		TAILQ_FOREACH(c, &conns, next) {
			wake = least(wake, conn_poll(c, &pfd[n], now));
			n += 2;
		}
		wait_until(pfd, n, wake, now);
		now = clock_us();
		for (c = TAILQ_FIRST(&conns); c != NULL; c = next) {
			next = TAILQ_NEXT(c, next);
			conn_work(c, now);
		}
		if ((pfd[1].revents & POLLIN) != 0)
			conn_new(listener);
	} while (pfd[0].revents == 0 || commands());
	drop_all();
}

/* ---- start --------------------------------------------------------------- */

static struct addrinfo *
address(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *ai;
	int rv = getaddrinfo(host, port, &hints, &ai);

	if (rv != 0)
		errx(2, "%s port %s: %s", host, port, gai_strerror(rv));
	return ai;
}

/* Listen, and say where. */
static int
start_listening(const char *host, const char *port)
{
	struct addrinfo *ai = address(host, port);
	int fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	char text[8];

	if (fd == -1)
		err(1, "socket");
	small_buffers(fd);		/* those of what is accepted, too */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, CONNS) == -1 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		err(1, "%s port %s", host, port);
	freeaddrinfo(ai);
	if (getnameinfo((struct sockaddr *)&ss, len, NULL, 0, text,
	    sizeof text, NI_NUMERICSERV) != 0)
		errx(1, "no port");
	printf("%s\n", text);
	return fd;
}

static int
usage(void)
{
	fprintf(stderr, "usage: forward [-l ADDRESS] [-p PORT] [-s SEED] "
	    "ADDRESS PORT [COMMAND...]\n");
	return 2;
}

int
main(int argc, char **argv)
{
	const char *host = "127.0.0.1", *port = "0";
	int opt, i, listener;

	while ((opt = getopt(argc, argv, "l:p:s:")) != -1) {
		if (opt == 'l')
			host = optarg;
		else if (opt == 'p')
			port = optarg;
		else if (opt != 's' ||
		    num_parse_str(optarg, 0, UINT64_MAX, &rng) == -1)
			return usage();
	}
	if (argc - optind < 2)
		return usage();
	ways[UP].queue = ways[DOWN].queue = 4096;
	for (i = optind + 2; i < argc; i++) {
		char *line = strdup(argv[i]);

		if (line == NULL || strcmp(command(line), "ok") != 0)
			errx(2, "%s: no such command", argv[i]);
		free(line);
	}
	server = address(argv[optind], argv[optind + 1]);
	listener = start_listening(host, port);
	if (fflush(stdout) != 0)
		err(1, "stdout");
	forward(listener);
	close(listener);
	freeaddrinfo(server);
	return 0;
}
