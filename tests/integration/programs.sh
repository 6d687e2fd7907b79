#!/bin/bash
# vim, less and htop, driven by the engineer's keys in the customer's shell: the
# screens are the same, cell by cell, at every stop, also after the customer has
# resized the terminal, and for an engineer who comes later.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=screens.sh
. "$(dirname "$0")/screens.sh"

for program in vim less htop; do
	command -v "$program" >/dev/null || skip "$program is not installed"
done

# at WHAT REGEX: the program has got there, and everybody sees the same
at() {
	wait_screen customer "$2"
	compare "$1"
}

# resized SIZE: the customer's window has got it, the chat its rows, and the
# program has been told: tmux does so once in 250 ms
resized() {
	local pane tty

	read -r pane tty <<<"$(customer_is \
	    '#{window_width}x#{window_height}/#{pane_height} #{pane_tty}')"
	[ "$pane" = "$1/$((${1#*x} - 10))" ] &&
	    [ "$(stty -F "$tty" size)" = "${pane#*/} ${1%x*}" ]
}

resize() {
	term_resize customer "$1"
	within 10 "the customer's window follows" resized "$1"
}

begin() {
	type_line eva "clear; $1"
}

finish() {
	wait_screen customer '^\$ *$'
	compare "$1, left"
}

vim_session() {
	cat >"$HOME/code.c" <<-'EOP'
	#include <stdio.h>
	/* näher, 近い, 👀, e̋ and a	tab */
	int main(void) { return printf("%d\n", 1 + 2) < 0; }
	EOP
	for ((i = 0; i < 200; i++)); do
		printf 'static const char line_%d[] = "%0*d";\n' $i $((i % 90)) 7
	done >>"$HOME/code.c"
	# vim.tiny knows no syntax and no windows; it need not
	cat >"$HOME/.vimrc" <<-'EOP'
	set nocompatible encoding=utf-8 number ruler list hlsearch
	set t_Co=256 background=dark noswapfile viminfo=
	silent! syntax on
	highlight Search ctermfg=black ctermbg=yellow
	EOP
	begin 'vim ~/code.c'
	at "vim" '1,1'
	press eva PageDown
	press eva PageDown
	at "vim, two pages on" 'line_55\['
	type_line eva '/line_9'
	at "vim, having searched" '/line_9|line_9\['
	type_text eva 'ggOtyped by the engineer: äö 近 '
	at "vim, insert" 'typed by the engineer'
	resize 84x30
	at "vim, smaller" 'typed by the engineer'
	one_more tom
	compare "vim, when Tom has joined"
	press eva Escape
	type_text eva 'Gzz20iab '
	press eva Escape
	at "vim, the last line" '^ *20[0-9] '
	type_line eva ':silent! split'
	type_line eva ':1'
	at "vim, the first line" 'typed by the engineer'
	resize 104x36
	press eva C-l
	at "vim, larger" 'typed by the engineer'
	type_line eva ':qa!'
	finish vim
	one_less
}

less_session() {
	for ((i = 1; i <= 300; i++)); do
		printf '%d \033[1;3%dmcolour\033[m \033[4;48;5;%dm%*s\033[m 广 é\n' \
		    $i $((i % 8)) $i $((i % 60)) x
	done >"$HOME/text"
	begin 'LESS= LESSCHARSET=utf-8 less -R -N ~/text'
	at "less" '^ *1 .*colour'
	press eva Space
	press eva j
	press eva j
	at "less, further" '^ *30 .*colour'
	type_line eva '/29[0-9]'
	at "less, found" '^ *290 .*colour'
	resize 90x33
	at "less, smaller" '^ *290 .*colour'
	one_more tom
	press eva g
	at "less, at the top" '^ *1 .*colour'
	type_text eva '-S'
	press eva Right
	compare "less, to the side"
	press eva q
	resize 100x36
	finish less
	one_less
}

# It is told to look at the machine every two minutes, and has its own clock:
# what it shows between two keys stays.
htop_session() {
	mkdir -p "$HOME/.config/htop"
	begin 'htop -d 1200'
	at "htop" 'PID.*USER'
	press eva F6
	at "htop, sorting" 'Sort by'
	press eva Down Down Enter
	at "htop, sorted" 'PID.*USER'
	press eva F2
	at "htop, setup" 'Display options'
	press eva Escape
	at "htop, back" 'PID.*USER'
	resize 112x40
	compare "htop, larger"
	one_more tom
	compare "htop, when Tom has joined"
	press eva Down Down F1
	at "htop, help" 'GPL'
	press eva q
	at "htop, back again" 'PID.*USER'
	press eva q
	finish htop
	one_less
}

lab_up TUNL_SCREEN_INTERVAL=100ms
new_session
customer 100x36
find_main
one_more eva
shell_echoes eva
type_line customer 'PS1="$ "; unset PROMPT_COMMAND; clear'
wait_screen customer '^\$ *$'
vim_session
less_session
htop_session
compared
shell_echoes eva
type_line customer exit
within 15 "linbit-tunl ends" term_ended customer
nothing_left
