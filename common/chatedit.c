/*
 * chatedit.c - see chatedit.h.
 */
#include "chatedit.h"

#include <errno.h>
#include <histedit.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HISTORY_LINES	100

struct chatedit {
	EditLine	*el;
	HistoryW	*history;
	FILE		*null;		/* libedit's drawing goes here */
	wchar_t		 next;		/* the one character of its input */
	bool		 waiting;	/* next has not been read yet */
};

/*
 * What each key is to libedit: a control character, and the function that it is
 * bound to in place of the default.
 */
static const struct {
	const wchar_t	*control;
	const wchar_t	*function;
} keys[CHATKEYS] = {
	[CHATKEY_UP] = { L"^P", L"ed-prev-history" },
	[CHATKEY_DOWN] = { L"^N", L"ed-next-history" },
	[CHATKEY_LEFT] = { L"^B", L"ed-prev-char" },
	[CHATKEY_RIGHT] = { L"^F", L"ed-next-char" },
	[CHATKEY_HOME] = { L"^A", L"ed-move-to-beg" },
	[CHATKEY_END] = { L"^E", L"ed-move-to-end" },
	[CHATKEY_WORD_LEFT] = { L"^X", L"ed-prev-word" },
	[CHATKEY_WORD_RIGHT] = { L"^O", L"em-next-word" },
	[CHATKEY_BACKSPACE] = { L"^H", L"em-delete-prev-char" },
	[CHATKEY_DELETE] = { L"^D", L"ed-delete-next-char" },
	[CHATKEY_KILL_WORD] = { L"^W", L"ed-delete-prev-word" },
	[CHATKEY_KILL_NEXT_WORD] = { L"^G", L"em-delete-next-word" },
	[CHATKEY_KILL_START] = { L"^U", L"vi-kill-line-prev" },
	[CHATKEY_KILL_END] = { L"^K", L"ed-kill-line" },
	[CHATKEY_YANK] = { L"^Y", L"em-yank" },
	[CHATKEY_TRANSPOSE] = { L"^T", L"ed-transpose-chars" }
};

/* Libedit's way to read: hand over the one character that is there. */
static int
read_cb(EditLine *el, wchar_t *c)
{
	struct chatedit *e = NULL;

	if (el_wget(el, EL_CLIENTDATA, &e) == -1 || e == NULL || !e->waiting)
		return 0;
	*c = e->next;
	e->waiting = false;
	return 1;
}

/* Let libedit act on C. */
static void
feed(struct chatedit *e, wchar_t c)
{
	int n;

	e->next = c;
	e->waiting = true;
	(void)el_wgets(e->el, &n);
	e->waiting = false;
}

static void
bind_keys(EditLine *el)
{
	size_t i;

	for (i = 0; i < CHATKEYS; i++)
		if (keys[i].control != NULL)
			(void)el_wset(el, EL_BIND, keys[i].control,
			    keys[i].function, NULL);
}

static int
start_history(struct chatedit *e)
{
	HistEventW ev;

	e->history = history_winit();
	if (e->history == NULL ||
	    history_w(e->history, &ev, H_SETSIZE, HISTORY_LINES) == -1 ||
	    history_w(e->history, &ev, H_SETUNIQUE, 1) == -1)
		return -1;
	return el_wset(e->el, EL_HIST, history_w, e->history);
}

static int
start_editor(struct chatedit *e)
{
	e->null = fopen("/dev/null", "we");
	if (e->null == NULL)
		return -1;
	e->el = el_init_fd("chat", stdin, e->null, e->null, STDIN_FILENO,
	    STDOUT_FILENO, STDERR_FILENO);
	if (e->el == NULL || start_history(e) == -1 ||
	    el_wset(e->el, EL_CLIENTDATA, e) == -1 ||
	    el_wset(e->el, EL_GETCFN, read_cb) == -1 ||
	    el_wset(e->el, EL_EDITOR, L"emacs") == -1 ||
	    el_wset(e->el, EL_SIGNAL, 0) == -1 ||
	    el_wset(e->el, EL_UNBUFFERED, 1) == -1)
		return -1;
	/* A screen of its own, on which a full line always fits. */
	(void)el_wset(e->el, EL_SETTC, L"co", L"80", NULL);
	(void)el_wset(e->el, EL_SETTC, L"li", L"60", NULL);
	bind_keys(e->el);
	return 0;
}

struct chatedit *
chatedit_new(void)
{
	struct chatedit *e = calloc(1, sizeof *e);

	if (e == NULL)
		return NULL;
	if (start_editor(e) == -1) {
		chatedit_free(e);
		errno = ENOMEM;
		return NULL;
	}
	return e;
}

void
chatedit_free(struct chatedit *e)
{
	if (e == NULL)
		return;
	if (e->el != NULL) {
		/* keep its hands off the terminal's modes */
		(void)el_wset(e->el, EL_EDITMODE, 0);
		el_end(e->el);
	}
	if (e->history != NULL)
		history_wend(e->history);
	if (e->null != NULL)
		fclose(e->null);
	free(e);
}

int
chatedit_insert(struct chatedit *e, wchar_t c)
{
	size_t len, cursor;

	(void)chatedit_line(e, &len, &cursor);
	if (len >= CHATEDIT_MAX)
		return -1;
	feed(e, c);
	return 0;
}

void
chatedit_key(struct chatedit *e, enum chatkey key)
{
	if (key < CHATKEYS && keys[key].control != NULL)
		feed(e, keys[key].control[1] & 0x1f);
}

const wchar_t *
chatedit_line(struct chatedit *e, size_t *len, size_t *cursor)
{
	const LineInfoW *li = el_wline(e->el);

	*len = (size_t)(li->lastchar - li->buffer);
	*cursor = (size_t)(li->cursor - li->buffer);
	return li->buffer;
}

/* Put the line into the history.  It is not NUL-terminated in libedit. */
static void
remember_line(struct chatedit *e)
{
	wchar_t copy[CHATEDIT_MAX + 1];
	const wchar_t *line;
	size_t len, cursor;
	HistEventW ev;

	line = chatedit_line(e, &len, &cursor);
	if (len == 0 || len > CHATEDIT_MAX)
		return;
	wmemcpy(copy, line, len);
	copy[len] = L'\0';
	(void)history_w(e->history, &ev, H_ENTER, copy);
}

void
chatedit_clear(struct chatedit *e, int remember)
{
	if (remember)
		remember_line(e);
	/*
	 * el_reset() puts the line and the place in the history back to
	 * nothing, and the terminal into cooked mode unless editing is off.
	 */
	(void)el_wset(e->el, EL_EDITMODE, 0);
	el_reset(e->el);
	(void)el_wset(e->el, EL_EDITMODE, 1);
}
