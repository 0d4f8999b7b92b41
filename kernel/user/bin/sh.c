/* sh: a small shell. Lines of pipelines:
 *
 *   program argument 'quoted' "quoted $VARIABLE" < from > to >> to | program ; pipeline & pipeline
 *
 * and the built-ins of `help`. On a terminal each pipeline is a job, a process group of its own. `sh -c LINE` runs one
 * line, `sh` reads its standard input, and prompts when that is a terminal.
 */
#include "environment.h"
#include "job.h"
#include "text.h"

enum { MAX_LINE = 1024, MAX_WORDS = 64, MAX_COMMANDS = 16 };

struct command {
    char *words[MAX_WORDS + 1];
    int word_count;
    const char *input, *output;
    bool append;
};

struct pipeline {
    struct command commands[MAX_COMMANDS];
    int count;
    bool background;
};

static bool interactive;
static int last_status;

/* Tokens. An operator is its own first character; a word is cut out of the line, its quotes resolved in `text`. */

enum token { TOKEN_END, TOKEN_WORD, TOKEN_APPEND, TOKEN_BAD };

struct lexer {
    const char *at;
    char text[2 * MAX_LINE]; /* all words of the line */
    size_t used;
    char *word; /* the newest */
};

static void add_character(struct lexer *lexer, char character) {
    if (lexer->used + 1 < sizeof lexer->text) lexer->text[lexer->used++] = character;
}

static void add_variable(struct lexer *lexer) {
    char name[64], number[16];
    size_t length = 0;
    const char *value = "";
    if (*lexer->at == '?') {
        snprintf(number, sizeof number, "%d", last_status);
        lexer->at++;
        value = number;
    } else {
        for (; length + 1 < sizeof name; lexer->at++) {
            char character = *lexer->at;
            bool letter = (character | 32) >= 'a' && (character | 32) <= 'z';
            if (!letter && character != '_' && !(length > 0 && character >= '0' && character <= '9')) break;
            name[length++] = character;
        }
        name[length] = '\0';
        if (length == 0)
            value = "$";
        else if (getenv(name) != NULL)
            value = getenv(name);
    }
    while (*value != '\0') add_character(lexer, *value++);
}

static int next_token(struct lexer *lexer) {
    char quote = '\0';
    while (*lexer->at == ' ' || *lexer->at == '\t') lexer->at++;
    if (*lexer->at == '\0' || *lexer->at == '#') return TOKEN_END;
    if (starts_with(lexer->at, ">>")) {
        lexer->at += 2;
        return TOKEN_APPEND;
    }
    if (strchr("|<>&;", *lexer->at) != NULL) return *lexer->at++;

    lexer->word = lexer->text + lexer->used;
    for (; *lexer->at != '\0';) {
        char character = *lexer->at;
        if (quote == '\0' && strchr(" \t|<>&;", character) != NULL) break;
        lexer->at++;
        if (quote == '\0' && (character == '\'' || character == '"'))
            quote = character;
        else if (character == quote && quote != '\0')
            quote = '\0';
        else if (character == '$' && quote != '\'')
            add_variable(lexer);
        else if (character == '\\' && quote != '\'' && *lexer->at != '\0')
            add_character(lexer, *lexer->at++);
        else
            add_character(lexer, character);
    }
    lexer->text[lexer->used++] = '\0';
    return quote != '\0' || lexer->used >= sizeof lexer->text - 1 ? TOKEN_BAD : TOKEN_WORD;
}

/* Reads up to the end of one pipeline. False with a message when it makes no sense. */
static bool parse_pipeline(struct lexer *lexer, struct pipeline *pipeline, bool *more) {
    struct command *command = pipeline->commands;
    memset(pipeline, 0, sizeof *pipeline);
    *more = true;
    for (;;) {
        int token = next_token(lexer);
        switch (token) {
        case TOKEN_WORD:
            if (command->word_count == MAX_WORDS) goto bad;
            command->words[command->word_count++] = lexer->word;
            break;
        case '<':
        case '>':
        case TOKEN_APPEND:
            if (next_token(lexer) != TOKEN_WORD) goto bad;
            if (token == '<')
                command->input = lexer->word;
            else
                command->output = lexer->word;
            command->append = token == TOKEN_APPEND;
            break;
        case '|':
            if (command->word_count == 0 || pipeline->count + 2 > MAX_COMMANDS) goto bad;
            pipeline->count++;
            command++;
            break;
        case '&':
        case ';':
        case TOKEN_END:
            pipeline->background = token == '&';
            *more = token != TOKEN_END;
            if (command->word_count > 0)
                pipeline->count++;
            else if (pipeline->count > 0 || token == '&')
                goto bad;
            return true;
        default: goto bad;
        }
    }
bad:
    dprintf(2, "sh: syntax error\n");
    last_status = 2;
    *more = false;
    return false;
}

/* Built-ins. */

static void builtin_run(char **words, int count) {
    if (count < 3) {
        dprintf(2, "sh: run NONCE PATH [ARGUMENT...]\n");
        last_status = 2;
        return;
    }
    print_begin(words[1], words[2]);
    int status = run_job(words + 2);
    print_end(words[1], status);
    last_status = status_as_number(status);
}

static void print_words(char **words) {
    char line[2 * MAX_LINE];
    size_t length = 0;
    line[0] = '\0';
    for (int i = 1; words[i] != NULL && length < sizeof line; i++)
        length += (size_t)snprintf(line + length, sizeof line - length, i > 1 ? " %s" : "%s", words[i]);
    line[sizeof line - 2] = '\0';
    strcat(line, "\n");
    last_status = write(1, line, strlen(line)) < 0;
}

/* True when the words were a built-in, which has run. */
static bool run_builtin(char **words, int count) {
    char folder[PATH_MAX];
    long status = last_status;
    last_status = 0;
    if (strcmp(words[0], "run") == 0) {
        builtin_run(words, count);
    } else if (strcmp(words[0], "echo") == 0) {
        print_words(words);
    } else if (strcmp(words[0], "cd") == 0) {
        const char *to = count > 1 ? words[1] : "/";
        if (chdir(to) < 0) {
            dprintf(2, "sh: cd: %s: errno %d (%s)\n", to, errno, errno_name(errno));
            last_status = 1;
        }
    } else if (strcmp(words[0], "pwd") == 0) {
        if (getcwd(folder, sizeof folder) != NULL)
            printf("%s\n", folder);
        else
            last_status = 1;
    } else if (strcmp(words[0], "exit") == 0) {
        if (count > 1) parse_number(words[1], &status);
        _exit((int)status);
    } else if (strcmp(words[0], "help") == 0) {
        printf("built-in: run NONCE PATH [ARGUMENT...], echo, cd, pwd, exit, help; all else is a program\n");
    } else {
        last_status = (int)status;
        return false;
    }
    return true;
}

/* Programs. */

static void redirect(const char *path, int flags, int to) {
    int fd = open(path, flags, 0644);
    if (fd < 0) {
        dprintf(2, "sh: %s: errno %d (%s)\n", path, errno, errno_name(errno));
        _exit(1);
    }
    dup2(fd, to);
    if (fd != to) close(fd);
}

static void become_command(struct command *command) {
    if (command->input != NULL) redirect(command->input, O_RDONLY, 0);
    if (command->output != NULL)
        redirect(command->output, O_WRONLY | O_CREAT | (command->append ? O_APPEND : O_TRUNC), 1);
    if (run_builtin(command->words, command->word_count)) _exit(last_status);
    execvp(command->words[0], command->words);
    dprintf(2, errno == ENOENT ? "sh: %s: not found\n" : "sh: %s: cannot be run\n", command->words[0]);
    _exit(errno == ENOENT ? 127 : 126);
}

/* Starts every member, each end of a pipe in one process alone. The first one's pid is the group. */
static void start_pipeline(struct pipeline *pipeline, pid_t *children) {
    int input = -1, fds[2] = { -1, -1 };
    for (int i = 0; i < pipeline->count; i++) {
        bool last = i == pipeline->count - 1;
        pid_t group = i > 0 ? children[0] : 0;
        if (!last && pipe(fds) < 0) fds[0] = fds[1] = -1;
        pid_t child = fork();
        if (child == 0) {
            if (interactive) join_foreground_group(group, !pipeline->background);
            restore_default_signals();
            if (input >= 0) dup2(input, 0);
            if (!last) dup2(fds[1], 1);
            if (input >= 0) close(input);
            if (!last) close(fds[0]), close(fds[1]);
            become_command(&pipeline->commands[i]);
        }
        children[i] = child;
        if (interactive) setpgid(child, group);
        if (input >= 0) close(input);
        if (!last) close(fds[1]);
        input = fds[0];
    }
}

static void report_status(int status) {
    last_status = status_as_number(status);
    if (!interactive) return;
    if (WIFSTOPPED(status))
        printf("stopped by signal %d\n", WSTOPSIG(status));
    else if (WIFSIGNALED(status))
        printf("signal %d\n", WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        printf("exit status %d\n", WEXITSTATUS(status));
}

/* One that stops counts as ended: the prompt comes back. */
static void wait_for_pipeline(const pid_t *children, int count) {
    int status = 127 << 8;
    for (int i = 0; i < count; i++) {
        pid_t ended;
        do ended = waitpid(children[i], &status, interactive ? WUNTRACED : 0);
        while (ended < 0 && errno == EINTR);
    }
    if (interactive) join_foreground_group(getpgrp(), true);
    report_status(status);
}

static void run_pipeline(struct pipeline *pipeline) {
    struct command *only = &pipeline->commands[0];
    bool plain = pipeline->count == 1 && !pipeline->background && only->input == NULL && only->output == NULL;
    pid_t children[MAX_COMMANDS];
    if (pipeline->count == 0 || (plain && run_builtin(only->words, only->word_count))) return;
    start_pipeline(pipeline, children);
    if (!pipeline->background) {
        wait_for_pipeline(children, pipeline->count);
        return;
    }
    if (interactive) printf("[%d]\n", children[0]);
    last_status = 0;
}

static void run_line(const char *line) {
    static struct lexer lexer;
    static struct pipeline pipeline;
    bool more = true;
    lexer.at = line;
    lexer.used = 0;
    while (more && parse_pipeline(&lexer, &pipeline, &more)) run_pipeline(&pipeline);
}

static void interrupt_waiting(int signal) { (void)signal; }

/* SIGINT is blocked but for this wait, so that none gets lost between the prompt and the wait. */
static bool interrupted_before_input(void) {
    struct pollfd input = { .fd = 0, .events = POLLIN };
    sigset_t none = 0;
    return ppoll(&input, 1, NULL, &none) < 0 && errno == EINTR;
}

/* A terminal gives a line at a time; from anything else single bytes, since the programs read the rest. */
static bool read_line(char *line, size_t size) {
    size_t length = 0;
    while (length + 1 < size) {
        if (interactive && interrupted_before_input()) {
            line[0] = '\0';
            printf("\n");
            return true;
        }
        ssize_t got = read(0, line + length, interactive ? size - 1 - length : 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 && length == 0) return false;
        if (got <= 0) break;
        length += (size_t)got;
        if (line[length - 1] == '\n') {
            length--;
            break;
        }
    }
    line[length] = '\0';
    return true;
}

static void become_interactive(void) {
    static const int ignored[] = { SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU };
    sigset_t interrupt = signal_bit(SIGINT);
    interactive = true;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) handle_signal(ignored[i], SIG_IGN, 0);
    handle_signal(SIGINT, interrupt_waiting, 0);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    join_foreground_group(0, true);
}

int main(int argc, char **argv) {
    char line[MAX_LINE];
    if (argc == 3 && strcmp(argv[1], "-c") == 0) {
        run_line(argv[2]);
        return last_status;
    }
    if (isatty(0)) become_interactive();
    for (;;) {
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
        if (interactive) printf("duet> ");
        if (!read_line(line, sizeof line)) return last_status;
        run_line(line);
    }
}
