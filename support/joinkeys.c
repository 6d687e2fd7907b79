/*
 * joinkeys.c - see joinkeys.h.
 *
 * The session's prefix is None and its key table one of our own, in which the
 * engineer's prefix leads to another of our own: tmux would look the real
 * prefix up in a table that all sessions share.  Where a word must reach a
 * program in a window, a shell writes it to that program's FIFO.
 */
#include "joinkeys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "joinwin.h"
#include "log.h"
#include "say.h"
#include "tmux.h"

#define TEXT_MAX	320
#define RW		0x1	/* not for those who only look */
#define REPEAT		0x2	/* the key again does not need the prefix */

struct key {
	const char	*key;		/* behind the prefix; NULL: menu only */
	const char	*menu;		/* its key in the main menu, or NULL */
	const char	*label;		/* NULL: not on the sheet of keys */
	const char	*command;	/* $d: the directory, $c: the client;
					 * NULL: close, which needs its name
					 * twice */
	unsigned int	 flags;
};

/* The program may not have made its FIFO yet.  That must be no failure: tmux would
 * show it in the pane, in a mode that takes all keys. */
#define POKE(program, word)						\
	"run-shell -b 'cd $d && test -p " program "-$c && echo " word	\
	" 1<>" program "-$c || :'"

static const struct key keys[] = {
	{ "0", NULL, "The customer's shell", "select-window -t :0", 0 },
	{ "1", "c", "Chat", "select-window -t :1", 0 },
	{ "C-c", NULL, "Shell or chat, the other one",
	  "if-shell -F '#{==:#{window_index},0}' 'select-window -t :1' "
	  "'select-window -t :0'", 0 },
	{ "z", "z", "Zoom the customer's shell", POKE("view", "zoom"), RW },
	{ NULL, "R", "Force my dimensions, or no longer", POKE("view", "force"),
	  RW },
	{ "v", "v", "Viewport: keep the customer's size",
	  POKE("view", "viewport"), 0 },
	{ "Left", NULL, "Arrows: show another part", "refresh-client -L 8",
	  REPEAT },
	{ "Right", NULL, NULL, "refresh-client -R 8", REPEAT },
	{ "Up", NULL, NULL, "refresh-client -U 4", REPEAT },
	{ "Down", NULL, NULL, "refresh-client -D 4", REPEAT },
	{ "Home", NULL, "Follow the cursor again", "refresh-client -c", 0 },
	{ "r", "r", "Draw the screen anew", POKE("view", "redraw"), 0 },
	{ "[", NULL, "Scroll back", "copy-mode", 0 },
	{ "PPage", NULL, "Scroll back a page", "copy-mode -u", 0 },
	{ "]", NULL, "Paste", "paste-buffer -p", 0 },
	{ "d", "d", "Detach (tmux attach brings it back)", "detach-client", 0 },
	{ "Q", "Q", "Close my window (the customer goes on)", NULL, 0 },
};

#define NKEYS	(sizeof keys / sizeof keys[0])

struct scope {
	const struct joinwin *jw;
	const char	*name;
	const char	*dir;
	const char	*prefix;
	char		 root[TEXT_MAX];	/* the tables' names */
	char		 after[TEXT_MAX];
};

/* TEXT with its $d and $c. */
static const char *
expand(struct tmux *tm, const char *text, const struct scope *sc)
{
	char out[4 * TEXT_MAX];
	size_t o = 0;

	for (; *text != '\0' && o < sizeof out - 1; text++) {
		const char *what = NULL;

		if (text[0] == '$' && (text[1] == 'd' || text[1] == 'c'))
			what = *++text == 'd' ? sc->dir : sc->jw->client;
		if (what == NULL)
			out[o++] = *text;
		else
			o += (size_t)snprintf(out + o, sizeof out - o, "%s",
			    what);
	}
	if (o >= sizeof out - 1)
		fatalx("a command of a key is too long");
	out[o] = '\0';
	return tmux_text(tm, "%s", out);
}

/*
 * A client that goes on to another session keeps its key table, and tmux would
 * swallow its next key: so it gets the usual one first.
 */
static const char *
command(struct tmux *tm, const struct key *k, const struct scope *sc)
{
	if (k->command == NULL)
		return tmux_text(tm, "set-option -t '%s' key-table root ; "
		    "kill-session -t '%s'", sc->name, sc->name);
	return expand(tm, k->command, sc);
}

static bool
is_offered(const struct key *k, const struct scope *sc)
{
	return (k->flags & RW) == 0 || !sc->jw->read_only;
}

/* Bind all keys behind the prefix (tmux 2.9 takes no command line as an
 * argument, but if-shell does on every version). */
static void
bind_keys(struct tmux *tm, const struct scope *sc)
{
	const struct key *k;

	for (k = keys; k < keys + NKEYS; k++) {
		if (k->key == NULL || !is_offered(k, sc))
			continue;
		tmux_add(tm, "bind-key", NULL);
		if ((k->flags & REPEAT) != 0)
			tmux_more(tm, "-r", NULL);
		tmux_more(tm, "-T", sc->after, k->key, "if-shell", "-F", "1",
		    command(tm, k, sc), NULL);
	}
}

/* The main menu, or with ALL the sheet of all keys. */
static void
bind_menu(struct tmux *tm, const struct scope *sc, const char *table,
    const char *key, bool all)
{
	const struct key *k;

	tmux_add(tm, "bind-key", "-T", table, key, "display-menu", "-x", "C",
	    "-y", "C", "-T", all ? tmux_text(tm, " Keys, behind %s ",
	    sc->prefix) : " Menu ", NULL);
	for (k = keys; k < keys + NKEYS; k++) {
		const char *name = all ? k->key : k->menu;

		if (name == NULL || k->label == NULL || !is_offered(k, sc))
			continue;
		tmux_more(tm, all ? tmux_text(tm, "%-7s%s", name, k->label) :
		    k->label, name, command(tm, k, sc), NULL);
	}
	if (all)
		tmux_more(tm, "Enter  Menu (F1, without the prefix)", "", "",
		    NULL);
}

/* Before tmux 3.0 there are no menus. */
static void
bind_words(struct tmux *tm, const struct scope *sc, const char *table,
    const char *key)
{
	tmux_add(tm, "bind-key", "-T", table, key, "display-message",
	    tmux_text(tm, "behind %s: 0 shell, 1 chat, z zoom, v viewport, r redraw, [ scroll, "
	    "d detach, Q close", sc->prefix), NULL);
}

static void
bind_menus(struct tmux *tm, const struct scope *sc)
{
	if (sc->jw->version < TMUX_MENUS) {
		bind_words(tm, sc, sc->root, "F1");
		bind_words(tm, sc, sc->after, "Enter");
		bind_words(tm, sc, sc->after, "?");
		return;
	}
	bind_menu(tm, sc, sc->root, "F1", false);
	bind_menu(tm, sc, sc->after, "Enter", false);
	bind_menu(tm, sc, sc->after, "?", true);
}

/* A dead pane's program is started again by Enter; the mouse does what it does
 * in tmux's own table. */
static void
bind_root(struct tmux *tm, const struct scope *sc)
{
	static const char wanted[] = "#{||:#{pane_in_mode},#{mouse_any_flag}}";

	tmux_add(tm, "bind-key", "-T", sc->root, sc->prefix, "switch-client",
	    "-T", sc->after, NULL);
	tmux_add(tm, "bind-key", "-T", sc->after, sc->prefix, "send-keys",
	    sc->prefix, NULL);
	tmux_add(tm, "bind-key", "-T", sc->root, "Enter", "if-shell", "-F",
	    "#{pane_dead}", "respawn-pane", "send-keys Enter", NULL);
	tmux_add(tm, "bind-key", "-T", sc->root, "WheelUpPane", "if-shell",
	    "-F", "-t=", wanted, "send-keys -M", "copy-mode -e", NULL);
	tmux_add(tm, "bind-key", "-T", sc->root, "MouseDrag1Pane", "if-shell",
	    "-F", "-t=", wanted, "send-keys -M", "copy-mode -M", NULL);
	tmux_add(tm, "bind-key", "-T", sc->root, "MouseDown1Status",
	    "select-window", "-t=", NULL);
}

/* Its windows are told of other clients, other sizes, and what is shown.
 * tmux 2.9 does not look for the cursor again after a resize. */
static void
add_hooks(struct tmux *tm, const struct scope *sc)
{
	static const char *const sizes[] = { "client-attached",
	    "client-detached", "client-resized", "client-session-changed" };
	const char *size = expand(tm, POKE("view", "size"), sc);
	size_t i;

	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		tmux_add(tm, "set-hook", "-t", sc->name, sizes[i], size, NULL);
	if (sc->jw->version < TMUX_MENUS)
		tmux_add(tm, "set-hook", "-t", sc->name, "client-resized",
		    tmux_text(tm, "refresh-client -c ; %s", size), NULL);
	tmux_add(tm, "set-hook", "-t", sc->name, "session-window-changed",
	    expand(tm, POKE("chat", "window #{window_index}"), sc), NULL);
}

static void
add_options(struct tmux *tm, const struct scope *sc)
{
	tmux_add(tm, "set-option", "-t", sc->name, "status-right",
	    tmux_text(tm, " #{=30:pane_title} | %s Enter: menu  %s ?: keys ",
	    sc->prefix, sc->prefix), NULL);
	tmux_add(tm, "set-option", "-t", sc->name, "key-table", sc->root, NULL);
	tmux_add(tm, "set-option", "-t", sc->name, "prefix", "None", NULL);
	tmux_add(tm, "set-option", "-t", sc->name, "prefix2", "None", NULL);
}

static void
scope_init(struct scope *sc, const char *sid)
{
	memset(sc, 0, sizeof *sc);
	(void)snprintf(sc->root, sizeof sc->root, "tunl-%s", sid);
	(void)snprintf(sc->after, sizeof sc->after, "tunl-%s-prefix", sid);
}

/* Forget what was bound in TABLE; there must be one for that. */
static void
empty(struct tmux *tm, const char *table)
{
	tmux_add(tm, "bind-key", "-T", table, "F1", "refresh-client", NULL);
	tmux_add(tm, "unbind-key", "-a", "-T", table, NULL);
}

/* True of "C-b", "M-x", "F12" and the like, which every tmux knows. */
static bool
is_common_key(const char *key)
{
	size_t digits;

	if (key[0] == 'F') {
		digits = strspn(key + 1, "0123456789");
		return key[1] != '0' && digits > 0 && digits < 3 &&
		    key[1 + digits] == '\0' && (digits == 1 || key[1] == '1') &&
		    (digits == 1 || key[2] < '3');
	}
	return (key[0] == 'C' || key[0] == 'M') && key[1] == '-' &&
	    key[2] >= 'a' && key[2] <= 'z' && key[3] == '\0';
}

/* True if tmux takes KEY for one: it must also be safe in a format. */
static bool
is_key(const struct scope *sc, const char *key)
{
	struct tmux tm;

	if (is_common_key(key))
		return true;
	if (key[0] == '-' || strcmp(key, "None") == 0 ||
	    strcmp(key, "Any") == 0 ||
	    key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
	    "wxyz0123456789-^[]\\/_@")] != '\0')
		return false;
	tmux_begin(&tm);
	tmux_add(&tm, "bind-key", "-T", sc->root, key, "switch-client", "-T",
	    sc->after, NULL);
	return tmux_run(&tm, NULL, 0) == 0;
}

int
joinkeys_bind(const struct joinwin *jw, const char *name, const char *dir)
{
	const char *prefix = jw->set->prefix;
	struct scope sc;
	struct tmux tm;

	scope_init(&sc, jw->sid);
	sc.jw = jw;
	sc.name = name;
	sc.dir = dir;
	sc.prefix = prefix;
	if (!is_key(&sc, prefix)) {
		say_notice("TUNL_PREFIX '%s' is no key that tmux knows; the "
		    "prefix is C-b", prefix);
		sc.prefix = "C-b";
	}
	tmux_begin(&tm);
	empty(&tm, sc.root);	/* of one that was killed */
	empty(&tm, sc.after);
	bind_root(&tm, &sc);
	bind_keys(&tm, &sc);
	bind_menus(&tm, &sc);
	add_hooks(&tm, &sc);
	add_options(&tm, &sc);
	return tmux_run(&tm, NULL, 0) == 0 ? 0 : -1;
}

void
joinkeys_unbind(const char *sid)
{
	struct scope sc;
	struct tmux tm;

	scope_init(&sc, sid);
	tmux_begin(&tm);
	empty(&tm, sc.root);
	empty(&tm, sc.after);
	(void)tmux_run(&tm, NULL, 0);
}
