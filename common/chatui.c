/*
 * chatui.c - see chatui.h.  This file is the event loop's side: it turns the
 * terminal's octets into keys, keys into edits, and draws once when all that
 * was ready has been seen to.
 *
 *	chatkey		octets -> keys (pure)
 *	chatedit	the input line (libedit)
 *	chatscroll	the lines and what is in sight (pure)
 *	chatwrap	columns (pure)
 *	chatscreen	drawing (ncursesw)
 */
#include "chatui.h"

#include <sys/time.h>

#include <errno.h>
#include <event2/event.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "chatedit.h"
#include "chatkey.h"
#include "chatscreen.h"
#include "chatscroll.h"
#include "chatwrap.h"
#include "safetext.h"

#define BAR_SIZE	512	/* octets of a pinned row, NUL included */
#define SUBMIT_SIZE	(4 * CHATEDIT_MAX + 1)

struct bar {
	enum chatui_style style;
	char		 text[BAR_SIZE];	/* safe text */
	bool		 shown;
};

struct chatui {
	struct chatui_ops	 ops;
	void			*arg;
	struct chatedit		*edit;
	struct chatscreen	*screen;
	struct chatscroll	*lines;
	struct event		*readable, *resized, *second, *draw, *lapse;

	struct bar		 headers[CHATUI_ROWS];
	struct bar		 notice;
	struct bar		 why;		/* shown: no input is taken */
	char			 prompt[BAR_SIZE];

	char			 in[4096];	/* octets not yet made keys */
	size_t			 in_len;
	bool			 pasting;
	bool			 in_callback;	/* of ours; the caller may free */
	bool			 dead;		/* it did */
};

static void
set_bar(struct bar *b, enum chatui_style style, const char *text)
{
	b->style = style;
	b->shown = text != NULL;
	(void)safetext(b->text, sizeof b->text, b->shown ? text : "",
	    b->shown ? strlen(text) : 0);
}

/* Draw when everything that is ready now has been seen to. */
static void
draw_soon(struct chatui *ui)
{
	static const struct timeval now = { 0, 0 };

	if (ui->draw != NULL && !evtimer_pending(ui->draw, NULL))
		(void)evtimer_add(ui->draw, &now);
}

static struct chatbar
bar_of(const struct bar *b)
{
	struct chatbar c = { b->style, b->shown ? b->text : NULL };

	return c;
}

static void
draw_cb(evutil_socket_t fd, short what, void *arg)
{
	struct chatui *ui = arg;
	struct chatpicture p;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < CHATUI_ROWS; i++)
		p.headers[i] = bar_of(&ui->headers[i]);
	p.notice = bar_of(&ui->notice);
	p.scroll = ui->lines;
	p.prompt = ui->prompt;
	p.why = ui->why.shown ? ui->why.text : NULL;
	p.input = chatedit_line(ui->edit, &p.input_len, &p.cursor);
	chatscreen_draw(ui->screen, &p);
}

/* Free what chatui_free() could not, being called from one of our callbacks. */
static void
leave_callback(struct chatui *ui)
{
	ui->in_callback = false;
	if (ui->dead)
		free(ui);
}

/* Come back at the beginning of the next second. */
static void
arm_second(struct chatui *ui)
{
	struct timeval now, wait = { 0, 0 };

	(void)gettimeofday(&now, NULL);
	wait.tv_usec = 1000000 - now.tv_usec;
	if (wait.tv_usec >= 1000000) {
		wait.tv_sec = 1;
		wait.tv_usec -= 1000000;
	}
	(void)evtimer_add(ui->second, &wait);
}

static void
second_cb(evutil_socket_t fd, short what, void *arg)
{
	struct chatui *ui = arg;

	(void)fd;
	(void)what;
	arm_second(ui);
	ui->in_callback = true;
	ui->ops.tick_cb(ui->arg);
	leave_callback(ui);
}

static void
resized_cb(evutil_socket_t fd, short what, void *arg)
{
	struct chatui *ui = arg;

	(void)fd;
	(void)what;
	chatscreen_resize(ui->screen);
	draw_soon(ui);
}

static void
lapse_cb(evutil_socket_t fd, short what, void *arg)
{
	struct chatui *ui = arg;

	(void)fd;
	(void)what;
	ui->notice.shown = false;
	draw_soon(ui);
}

/* The input line as UTF-8.  Returns its length. */
static size_t
input_text(struct chatui *ui, char out[SUBMIT_SIZE])
{
	const wchar_t *line;
	size_t len, cursor, i, o = 0;

	line = chatedit_line(ui->edit, &len, &cursor);
	for (i = 0; i < len && i < CHATEDIT_MAX; i++)
		o += safetext_encode(out + o, (uint32_t)line[i]);
	out[o] = '\0';
	return o;
}

static bool
is_blank(const char *s)
{
	return s[strspn(s, " ")] == '\0';
}

static void
submit(struct chatui *ui)
{
	char text[SUBMIT_SIZE];

	chatscroll_follow(ui->lines);
	(void)input_text(ui, text);
	if (is_blank(text)) {
		chatedit_clear(ui->edit, 0);
		return;
	}
	if (ui->ops.submit_cb(ui->arg, text) == 0 && !ui->dead)
		chatedit_clear(ui->edit, 1);
}

static void
page(struct chatui *ui, int direction)
{
	int height, width;

	chatscreen_body(ui->screen, &height, &width);
	chatscroll_move(ui->lines,
	    direction * (height > 1 ? height - 1 : 1), height, width);
}

/* Ctrl-D: the end on an empty line, else delete under the cursor. */
static void
end_or_delete(struct chatui *ui)
{
	size_t len, cursor;

	(void)chatedit_line(ui->edit, &len, &cursor);
	if (len > 0)
		chatedit_key(ui->edit, CHATKEY_DELETE);
	else
		ui->ops.eof_cb(ui->arg, 0);
}

static void
insert(struct chatui *ui, uint32_t cp)
{
	wchar_t c = chatwrap_map((wchar_t)cp);

	if (c != 0 && chatedit_insert(ui->edit, c) == -1)
		chatui_notice(ui, CHATUI_WARN, "the line is full", 3);
}

/* What can be done whether or not input is taken.  True if KEY was that. */
static bool
view_key(struct chatui *ui, enum chatkey key)
{
	switch (key) {
	case CHATKEY_PAGE_UP:
		page(ui, -1);
		return true;
	case CHATKEY_PAGE_DOWN:
		page(ui, 1);
		return true;
	case CHATKEY_REDRAW:
		chatscreen_spoiled(ui->screen);
		return true;
	case CHATKEY_EOF:
		end_or_delete(ui);
		return true;
	default:
		return false;
	}
}

static void
act_on(struct chatui *ui, enum chatkey key, uint32_t cp)
{
	if (key == CHATKEY_NONE || view_key(ui, key) || ui->why.shown)
		return;
	if (key == CHATKEY_CHAR)
		insert(ui, cp);
	else if (key == CHATKEY_ENTER)
		submit(ui);
	else if (key == CHATKEY_CLEAR)
		chatedit_clear(ui->edit, 0);
	else
		chatedit_key(ui->edit, key);
}

/* Act on the keys that are in the buffer; keep what is none yet. */
static void
drain(struct chatui *ui)
{
	size_t at = 0, n;
	enum chatkey key;
	uint32_t cp = 0;

	while (at < ui->in_len && !ui->dead) {
		n = chatkey_next(ui->in + at, ui->in_len - at, &ui->pasting,
		    &key, &cp);
		if (n == 0)
			break;
		at += n;
		act_on(ui, key, cp);
	}
	memmove(ui->in, ui->in + at, ui->in_len - at);
	ui->in_len -= at;
}

static void
readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct chatui *ui = arg;
	ssize_t n;

	(void)what;
	n = read(fd, ui->in + ui->in_len, sizeof ui->in - ui->in_len);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	ui->in_callback = true;
	if (n <= 0) {
		(void)event_del(ui->readable);
		ui->ops.eof_cb(ui->arg, 1);
	} else {
		ui->in_len += (size_t)n;
		drain(ui);
		if (!ui->dead)
			draw_soon(ui);
	}
	leave_callback(ui);
}

/* Wide characters need a UTF-8 locale; take one whatever the user's is. */
static void
choose_locale(void)
{
	static const char *const names[] = { "", "C.UTF-8", "C.utf8",
	    "en_US.UTF-8" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (setlocale(LC_CTYPE, names[i]) != NULL &&
		    strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
			return;
}

static int
add_events(struct chatui *ui, struct event_base *base)
{
	ui->readable = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST,
	    readable_cb, ui);
	ui->resized = evsignal_new(base, SIGWINCH, resized_cb, ui);
	ui->second = evtimer_new(base, second_cb, ui);
	ui->draw = evtimer_new(base, draw_cb, ui);
	ui->lapse = evtimer_new(base, lapse_cb, ui);
	if (ui->readable == NULL || ui->resized == NULL ||
	    ui->second == NULL || ui->draw == NULL || ui->lapse == NULL ||
	    event_add(ui->readable, NULL) == -1 ||
	    evsignal_add(ui->resized, NULL) == -1)
		return -1;
	if (ui->ops.tick_cb != NULL)
		arm_second(ui);
	return 0;
}

static void
remove_event(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
}

/* Take the parts down, the terminal first. */
static void
release(struct chatui *ui)
{
	chatscreen_free(ui->screen);
	chatedit_free(ui->edit);
	chatscroll_free(ui->lines);
	remove_event(&ui->readable);
	remove_event(&ui->resized);
	remove_event(&ui->second);
	remove_event(&ui->draw);
	remove_event(&ui->lapse);
}

struct chatui *
chatui_new(struct event_base *base, const struct chatui_ops *ops, void *arg,
    const char *prompt)
{
	struct chatui *ui;
	struct termios found;
	int saved;

	if (tcgetattr(STDIN_FILENO, &found) == -1 || !isatty(STDOUT_FILENO))
		return NULL;
	ui = calloc(1, sizeof *ui);
	if (ui == NULL)
		return NULL;
	ui->ops = *ops;
	ui->arg = arg;
	(void)safetext(ui->prompt, sizeof ui->prompt, prompt, strlen(prompt));
	choose_locale();
	ui->lines = chatscroll_new();
	ui->edit = ui->lines != NULL ? chatedit_new() : NULL;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &found);
	if (ui->edit != NULL)
		ui->screen = chatscreen_new();
	if (ui->screen == NULL || add_events(ui, base) == -1) {
		saved = errno;
		release(ui);
		free(ui);
		errno = saved;
		return NULL;
	}
	draw_soon(ui);
	return ui;
}

void
chatui_free(struct chatui *ui)
{
	if (ui == NULL)
		return;
	release(ui);
	if (ui->in_callback)
		ui->dead = true;
	else
		free(ui);
}

void
chatui_header(struct chatui *ui, unsigned int row, enum chatui_style style,
    const char *text)
{
	if (row >= CHATUI_ROWS)
		return;
	set_bar(&ui->headers[row], style, text);
	draw_soon(ui);
}

unsigned int
chatui_line(struct chatui *ui, time_t when, enum chatui_style style,
    const char *who, const char *text)
{
	char stamp[16] = "--:--";
	struct tm tm;

	if (localtime_r(&when, &tm) != NULL)
		(void)strftime(stamp, sizeof stamp, "%H:%M", &tm);
	draw_soon(ui);
	return chatscroll_add(ui->lines, style, stamp, who, text);
}

void
chatui_notice(struct chatui *ui, enum chatui_style style, const char *text,
    unsigned int secs)
{
	struct timeval wait = { (time_t)secs, 0 };

	set_bar(&ui->notice, style, text);
	(void)evtimer_del(ui->lapse);
	if (text != NULL && secs > 0)
		(void)evtimer_add(ui->lapse, &wait);
	draw_soon(ui);
}

void
chatui_mark(struct chatui *ui, unsigned int line, int pending)
{
	chatscroll_mark(ui->lines, line, pending != 0);
	draw_soon(ui);
}

void
chatui_readonly(struct chatui *ui, const char *why)
{
	set_bar(&ui->why, CHATUI_NORMAL, why);
	draw_soon(ui);
}
