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

#include "log.h"
#include "say.h"
#include "tmux.h"

#define TEXT_MAX	320

struct key {
	const char	*key;		/* behind the prefix; NULL: menu only */
	const char	*menu;		/* its key in the main menu, or NULL */
	const char	*label;
	const char	*command;	/* %s: the session's directory; NULL: */
};				/* close, which needs its name twice */

/* In the directory %s; the program may not have made its FIFO yet. */
#define POKE(program, word)						\
	"run-shell -b 'cd %s && test -p " program " && echo " word	\
	" 1<>" program "'"

static const struct key keys[] = {
	{ "0", NULL, "The customer's shell", "select-window -t :0" },
	{ "1", "c", "Chat", "select-window -t :1" },
	{ "C-c", NULL, "Shell or chat, the other one",
	  "if-shell -F '#{==:#{window_index},0}' 'select-window -t :1' "
	  "'select-window -t :0'" },
	{ "z", "z", "Zoom the customer's shell", POKE("view", "zoom") },
	{ NULL, "R", "Force my dimensions", POKE("view", "force") },
	{ "[", NULL, "Scroll back", "copy-mode" },
	{ "PPage", NULL, "Scroll back a page", "copy-mode -u" },
	{ "]", NULL, "Paste", "paste-buffer -p" },
	{ "d", "d", "Detach (tmux attach brings it back)", "detach-client" },
	{ "Q", "Q", "Close my window (the customer goes on)", NULL },
};

#define NKEYS	(sizeof keys / sizeof keys[0])

struct scope {
	const char	*name;
	const char	*dir;
	const char	*prefix;
	char		 root[TEXT_MAX];	/* the tables' names */
	char		 after[TEXT_MAX];
};

/*
 * A client that goes on to another session keeps its key table, and tmux would
 * swallow its next key: so it gets the usual one first.
 */
static const char *
command(struct tmux *tm, const struct key *k, const struct scope *sc)
{
	const char *at;

	if (k->command == NULL)
		return tmux_text(tm, "set-option -t '%s' key-table root ; "
		    "kill-session -t '%s'", sc->name, sc->name);
	at = strstr(k->command, "%s");
	if (at == NULL)
		return k->command;
	return tmux_text(tm, "%.*s%s%s", (int)(at - k->command), k->command,
	    sc->dir, at + 2);
}

/* Bind KEY in TABLE to a command line (tmux 2.9 takes no such argument, but
 * if-shell does on every version). */
static void
bind(struct tmux *tm, const char *table, const char *key, const char *line)
{
	tmux_add(tm, "bind-key", "-T", table, key, "if-shell", "-F", "1", line,
	    NULL);
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

		if (name == NULL)
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
	    tmux_text(tm, "behind %s: 0 shell, 1 chat, z zoom, [ scroll, "
	    "d detach, Q close", sc->prefix), NULL);
}

static void
bind_menus(struct tmux *tm, const struct scope *sc)
{
	if (tmux_version() < TMUX_MENUS) {
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

/* Its windows are told of other clients, other sizes, and what is shown. */
static void
add_hooks(struct tmux *tm, const struct scope *sc)
{
	static const char *const sizes[] = { "client-attached",
	    "client-detached", "client-resized", "client-session-changed" };
	const char *size = tmux_text(tm, POKE("view", "size"), sc->dir);
	const char *window = tmux_text(tm, POKE("chat",
	    "window #{window_index}"), sc->dir);
	size_t i;

	for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		tmux_add(tm, "set-hook", "-t", sc->name, sizes[i], size, NULL);
	tmux_add(tm, "set-hook", "-t", sc->name, "session-window-changed",
	    window, NULL);
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

/* True if tmux takes KEY for one: it must also be safe in a format. */
static bool
is_key(const struct scope *sc, const char *key)
{
	struct tmux tm;

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
joinkeys_bind(const char *sid, const char *name, const char *dir,
    const char *prefix)
{
	struct scope sc;
	struct tmux tm;
	const struct key *k;

	joinkeys_unbind(sid);
	scope_init(&sc, sid);
	sc.name = name;
	sc.dir = dir;
	sc.prefix = prefix;
	if (!is_key(&sc, prefix)) {
		say_notice("TUNL_PREFIX '%s' is no key that tmux knows; the "
		    "prefix is C-b", prefix);
		sc.prefix = "C-b";
	}
	tmux_begin(&tm);
	bind_root(&tm, &sc);
	for (k = keys; k < keys + NKEYS; k++)
		if (k->key != NULL)
			bind(&tm, sc.after, k->key, command(&tm, k, &sc));
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
	tmux_add(&tm, "unbind-key", "-a", "-q", "-T", sc.root, NULL);
	(void)tmux_run(&tm, NULL, 0);
	tmux_begin(&tm);
	tmux_add(&tm, "unbind-key", "-a", "-q", "-T", sc.after, NULL);
	(void)tmux_run(&tm, NULL, 0);
}
