/*
 * api.c - relay-api: the registry of sessions, and the signer of their
 * certificates, as an HTTP service.
 *
 * This file starts it, keeps it going and stops it: one process, one thread,
 * one event loop, in the foreground.
 */
#include "api.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "files.h"
#include "grantdir.h"
#include "httpd.h"
#include "log.h"
#include "mono.h"
#include "notify.h"
#include "signer.h"
#include "upload.h"

struct daemon {
	struct api		 api;
	struct event_base	*base;
	struct httpd		*httpd;
	struct event		*sweep, *term, *intr, *hup, *give_up, *watchdog;
	bool			 stopping;
};

static void
usage(FILE *to)
{
	(void)fputs("usage: relay-api [-dv]\n"
	    "       relay-api --help | --version\n"
	    "  -d  log to stderr, not to syslog\n"
	    "  -v  log more\n"
	    "Settings: /etc/linbit-tunl/relay.conf; see relay-api(8).\n", to);
}

static struct timeval
interval(uint32_t ms)
{
	struct timeval tv = { (time_t)(ms / 1000),
	    (suseconds_t)(ms % 1000 * 1000) };

	return tv;
}

/* ---- events ---- */

static void
sweep_cb(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	api_sweep(&d->api);
}

static void
drained(void *arg)
{
	struct daemon *d = arg;

	(void)event_base_loopbreak(d->base);
}

static void
give_up_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	log_warnx("stopping with requests under way");
	drained(arg);
}

/* Take nothing new, finish what is under way, but not for ever. */
static void
term_cb(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;
	struct timeval tv = interval(d->api.conf.drain_ms);

	(void)sig;
	(void)what;
	if (d->stopping)
		return;
	d->stopping = true;
	log_info("stopping");
	notify_send("STOPPING=1");
	(void)evtimer_add(d->give_up, &tv);
	httpd_drain(d->httpd, drained, d);
}

static void
for_start_cb(const char *key)
{
	log_warnx("%s takes effect at the next start", key);
}

/* The key of the resume secrets and tokens, unless the new one is no good. */
static void
secret_reload(struct api *api)
{
	struct secret fresh = { .len = 0 };

	if (secret_load(&fresh, api->conf.secret_key_file) == 0)
		api->secret = fresh;
	else
		log_warn("the secret key stays as it was: %s",
		    api->conf.secret_key_file);
	wipe(&fresh, sizeof fresh);
}

static void
settings_reload(struct daemon *d)
{
	struct relayconf *c = &d->api.conf;
	char err[256];
	struct timeval tv;

	if (relayconf_reload(c, for_start_cb, err, sizeof err) == -1) {
		log_warnx("the settings stay as they were: %s", err);
		return;
	}
	httpd_set_deadlines(d->httpd, c->api_head_ms, c->api_reply_ms,
	    c->api_body_rate);
	signer_set_timeout(d->api.signer, c->sign_timeout_ms);
	uploads_set_limits(d->api.uploads, c->free_floor, c->upload_parallel);
	tv = interval(c->sweep_ms);
	(void)event_add(d->sweep, &tv);
	log_info("settings are loaded anew");
}

/* Other files of keys are read when they are needed. */
static void
hup_cb(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;
	char state[64];

	(void)sig;
	(void)what;
	(void)snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%"
	    PRId64, mono_ms() * 1000);
	notify_send(state);
	settings_reload(d);
	secret_reload(&d->api);
	notify_send("READY=1");
}

/* The loop goes round: that is what the service manager wants to know. */
static void
watchdog_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify_send("WATCHDOG=1");
}

static void
watchdog_start(struct daemon *d)
{
	uint32_t ms = notify_watchdog_ms();
	struct timeval tv = interval(ms / 2 > 0 ? ms / 2 : 1);

	if (ms == 0)
		return;
	d->watchdog = event_new(d->base, -1, EV_PERSIST, watchdog_cb, d);
	if (d->watchdog == NULL || event_add(d->watchdog, &tv) == -1)
		fatalx("out of memory");
}

static void
events_start(struct daemon *d)
{
	struct timeval tv = interval(d->api.conf.sweep_ms);

	d->sweep = event_new(d->base, -1, EV_PERSIST, sweep_cb, d);
	d->term = evsignal_new(d->base, SIGTERM, term_cb, d);
	d->intr = evsignal_new(d->base, SIGINT, term_cb, d);
	d->hup = evsignal_new(d->base, SIGHUP, hup_cb, d);
	d->give_up = evtimer_new(d->base, give_up_cb, d);
	if (d->sweep == NULL || d->term == NULL || d->intr == NULL ||
	    d->hup == NULL || d->give_up == NULL ||
	    evsignal_add(d->term, NULL) == -1 ||
	    evsignal_add(d->intr, NULL) == -1 ||
	    evsignal_add(d->hup, NULL) == -1 ||
	    event_add(d->sweep, &tv) == -1)
		fatalx("out of memory");
}

static void
events_stop(struct daemon *d)
{
	event_free(d->sweep);
	event_free(d->term);
	event_free(d->intr);
	event_free(d->hup);
	event_free(d->give_up);
	if (d->watchdog != NULL)
		event_free(d->watchdog);
}

/* ---- start ---- */

static void
settings_load(struct api *api)
{
	char err[256];

	if (relayconf_load(&api->conf, err, sizeof err) == -1)
		fatalx("%s", err);
}

static void
uploads_start(struct daemon *d)
{
	struct uploads_conf conf = {
		.base = d->base,
		.data_dir = d->api.conf.data_dir,
		.floor = d->api.conf.free_floor,
		.parallel = d->api.conf.upload_parallel,
	};

	d->api.uploads = uploads_new(&conf);
	if (d->api.uploads == NULL)
		fatal("cannot use %s/uploads%s", d->api.conf.data_dir,
		    errno == EPERM ? " (it must be ours, mode 0700)" : "");
}

/*
 * The database first: its lock says that no other relay-api keeps the rest.
 */
static void
state_open(struct daemon *d)
{
	struct api *api = &d->api;
	struct signer_conf signer = {
		.ca_pub = api->conf.ca_pub,
		.ca_agent = api->conf.ca_agent,
		.timeout_ms = api->conf.sign_timeout_ms,
	};
	char err[256];

	api->store = store_open(api->conf.db, api_mono(), err, sizeof err);
	if (api->store == NULL)
		fatalx("cannot use the database %s: %s", api->conf.db, err);
	if (secret_load(&api->secret, api->conf.secret_key_file) == -1)
		fatal("cannot use the secret key %s%s",
		    api->conf.secret_key_file, errno == EPERM ?
		    " (it must be ours, mode 0600)" : "");
	api->grants = grantdir_open(api->conf.run_dir);
	if (api->grants == -1)
		fatal("cannot use %s/" GRANT_DIR, api->conf.run_dir);
	uploads_start(d);
	api_sweep(api);
	api_upload_sweep_files(api);
	if (grantdir_rebuild(api->grants, api->store, api_now()) == -1)
		fatalx("cannot rebuild %s/" GRANT_DIR, api->conf.run_dir);
	api->signer = signer_new(d->base, &signer);
	if (api->signer == NULL)
		fatal("cannot start the signer");
}

/* The uid of NAME; our own, if there is none. */
static uid_t
account(const char *name, const char *what)
{
	struct passwd *pw = getpwnam(name);

	if (pw == NULL)
		log_warnx("there is no account %s; only root and this one may "
		    "%s", name, what);
	return pw != NULL ? pw->pw_uid : geteuid();
}

static struct httpd *
httpd_start(struct daemon *d)
{
	const struct relayconf *c = &d->api.conf;
	struct httpd_conf conf = {
		.base = d->base,
		.api = &d->api,
		.trusted_uid = account(c->user, "register sessions"),
		.enroll_uid = account(c->enroll_user, "enrol customers"),
		.proxies = c->api_proxy,
		.head_ms = c->api_head_ms,
		.reply_ms = c->api_reply_ms,
		.body_rate = c->api_body_rate,
		.connections = c->api_connections,
	};

	return httpd_new(&conf);
}

/* Tell whoever started us which port the kernel chose. */
static void
address_publish(const struct relayconf *conf, const char *address)
{
	char line[128];
	int dir, n;

	n = snprintf(line, sizeof line, "%s\n", address);
	dir = open(conf->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir == -1 || file_replace(dir, "api.addr", line, (size_t)n, 0644,
	    0) == -1)
		fatal("cannot write %s/api.addr", conf->run_dir);
	close(dir);
}

/* Listen wherever TUNL_API_LISTEN says. */
static void
listen_all(struct daemon *d)
{
	const char *s = d->api.conf.api_listen;
	char address[PATH_MAX], bound[PATH_MAX], err[128];
	size_t n;

	for (s += strspn(s, " "); *s != '\0'; s += n, s += strspn(s, " ")) {
		n = strcspn(s, " ");
		(void)snprintf(address, sizeof address, "%.*s", (int)n, s);
		if (httpd_listen(d->httpd, address, bound, sizeof bound, err,
		    sizeof err) == -1)
			fatalx("cannot listen at %s: %s", address, err);
		log_info("listening at %s", bound);
		if (strncmp(bound, "unix:", 5) != 0)
			address_publish(&d->api.conf, bound);
	}
}

static void
run(struct daemon *d)
{
	d->api.started = api_now();
	d->base = event_base_new();
	if (d->base == NULL)
		fatalx("cannot start the event loop");
	state_open(d);
	d->httpd = httpd_start(d);
	if (d->httpd == NULL)
		fatal("cannot start");
	events_start(d);
	listen_all(d);
	watchdog_start(d);
	notify_send("READY=1");
	(void)event_base_dispatch(d->base);
}

/* What requests wait for ends before they can. */
static void
stop(struct daemon *d)
{
	signer_free(d->api.signer);
	uploads_free(d->api.uploads);
	httpd_free(d->httpd);
	events_stop(d);
	store_close(d->api.store);
	enroll_clear(&d->api.enroll);
	close(d->api.grants);
	event_base_free(d->base);
	wipe(&d->api.secret, sizeof d->api.secret);
	relayconf_clear(&d->api.conf);
}

int
main(int argc, char **argv)
{
	static struct daemon d;
	int opt, to_stderr = 0, level = 0;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		(void)puts("relay-api " TUNL_VERSION);
		return fflush(stdout) == 0 ? 0 : 1;
	}
	while ((opt = getopt(argc, argv, "dv")) != -1)
		switch (opt) {
		case 'd':
			to_stderr = 1;
			break;
		case 'v':
			level = 1;
			break;
		default:
			usage(stderr);
			return 1;
		}
	if (optind != argc) {
		usage(stderr);
		return 1;
	}
	/* What goes wrong at the start, whoever starts it wants to see. */
	log_init("relay-api", 1, level);
	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	settings_load(&d.api);
	if (!to_stderr)
		log_init("relay-api", 0, level);
	run(&d);
	stop(&d);
	return 0;
}
