/* A guest that misbehaves to order: bare metal, one CPU, a serial port, and a table of scenarios.
 *
 * The word `boot=NAME` on the kernel command line chooses how it boots; `run NONCE NAME` at its prompt plays a
 * scenario between a begin and an end line that bear the nonce, as a real kernel's shell would.
 */
#include "machine.h"

typedef unsigned char u8;

static const char *boot_word(const char *key);
static void print(const char *text);
static int same(const char *left, const char *right);
static int starts(const char *text, const char *prefix);

static int lose_every;   /* drop each n-th character that is read */
static int echo = 1;
static char newline = '\n'; /* what ends a line; the other kind is passed over */
static char nonce[64];
static char name[64];

/* Scenarios. Each plays between the begin line and the end line, and returns the exit status. */

static int pass(void) { print(name); print(": PASS\n"); return 0; }
static int fail(void) { print(name); print(": FAIL: connect() errno 101 (ENETUNREACH)\n"); return 1; }
static int skip(void) { print(name); print(": SKIP: no framebuffer\n"); return 77; }
static int fail_exit_zero(void) { print(name); print(": FAIL: said so\n"); return 0; }
static int pass_exit_one(void) { print(name); print(": PASS\n"); return 1; }
static int negative(void) { print(name); print(": PASS\n"); return -1; }
static int large(void) { print(name); print(": PASS\n"); return 512; }
static int silent(void) { return 0; }
static int other_marker(void) { print("my_"); print(name); print(": PASS\n"); return 0; }
static int child_exit(void) { print("[syscall] exit(0)\n"); print(name); print(": FAIL: the parent\n"); return 1; }
static int breadcrumbs(void) { print("12[boot] J"); print(name); print(": PASS\n"); return 0; }

static int forged_end(void)
{
    print("[end 0000000000000000 exit 0]\n");
    print(name);
    print(": FAIL: after a forged end\n");
    return 1;
}

/* As a test does that was told its nonce: the shell's own end line comes after it. */
static int forged_own_end(void)
{
    print(name);
    print(": PASS\n[end ");
    print(nonce);
    print(" exit 0]\n");
    return 1;
}

/* A clean pass on the console, while the kernel's own log on the second port says otherwise. */
static int panic_on_second_port(void)
{
    for (const char *text = "KERNEL PANIC: on the second port\n"; *text; text++) second_serial_write((u8)*text);
    return pass();
}

/* What the first disk begins with, for prepare steps. */
static int disk(void)
{
    static char sector[512];
    if (!disk_read(sector)) return skip();
    sector[60] = 0;
    print("the disk says: ");
    print(sector);
    print("\n");
    return pass();
}

/* How often this ran before: a number in memory, and one on the disk. Passes where it is the first time. */
static int count(void)
{
    static char sector[512];
    static int times;
    if (disk_read(sector)) {
        times += sector[0];
        sector[0]++;
        disk_write(sector);
    }
    if (times++) return fail();
    return pass();
}

static int binary(void)
{
    static const u8 noise[] = {0x1b, '[', '3', '1', 'm', 0x00, 0xff, 0xfe, 0xc3, 0x28, '\r', 0x1b, ']', '0', ';', 'x', 0x07, '\n', 0};
    for (unsigned i = 0; i < sizeof noise - 1; i++) serial_write(noise[i]);
    print(name);
    print(": \x1b[32mPASS\x1b[0m\r\r\n");
    return 0;
}

static int panic(void)
{
    print("KERNEL PANIC: to order\n  pc 0x1234\n  #0 0x1234\n");
    halt();
    return 0;
}

static int panic_after_end(void)
{
    print(name);
    print(": PASS\n[end ");
    print(nonce);
    print(" exit 0]\n> ");
    return panic();
}

static int hang(void) { print("about to hang\n"); halt(); return 0; }
static int spin(void) { print("about to spin\n"); for (;;) __asm__ volatile(""); return 0; }
static int reset(void) { machine_reset(); return 0; }
static int power_off(void) { machine_power_off(); return 0; }
static int chatter(void) { for (;;) { print("still here\n"); pause_a_while(); } return 0; }

/* Emulated serial ports pass some hundred thousand bytes a second at best. */
static int flood(void)
{
    for (int line = 0; line < 4000; line++) print("0123456789012345678901234567890123456789012345678\n");
    print(name);
    print(": PASS\n");
    return 0;
}

struct scenario {
    const char *name;
    int (*play)(void);
};

static const struct scenario scenarios[] = {
    {"pass", pass}, {"fail", fail}, {"skip", skip}, {"fail_exit_zero", fail_exit_zero},
    {"pass_exit_one", pass_exit_one}, {"negative", negative}, {"large", large}, {"silent", silent},
    {"other_marker", other_marker}, {"child_exit", child_exit}, {"breadcrumbs", breadcrumbs},
    {"forged_end", forged_end}, {"binary", binary}, {"panic", panic}, {"panic_after_end", panic_after_end},
    {"hang", hang}, {"spin", spin}, {"reset", reset}, {"power_off", power_off}, {"chatter", chatter},
    {"flood", flood}, {"forged_own_end", forged_own_end}, {"panic_on_second_port", panic_on_second_port},
    {"disk", disk}, {"count", count}, {"count_again", count},
};

/* Text */

static void print(const char *text)
{
    while (*text) serial_write((u8)*text++);
}

static void print_number(int number)
{
    char digits[12];
    int count = 0;
    unsigned magnitude = number < 0 ? 0u - (unsigned)number : (unsigned)number;
    do digits[count++] = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    if (number < 0) serial_write('-');
    while (count) serial_write((u8)digits[--count]);
}

static int same(const char *left, const char *right)
{
    while (*left && *left == *right) left++, right++;
    return *left == *right;
}

static int starts(const char *text, const char *prefix)
{
    while (*prefix) if (*text++ != *prefix++) return 0;
    return 1;
}

/* The word after `key` on the kernel command line, up to a space; empty where there is none. */
static const char *boot_word(const char *key)
{
    static char word[64];
    const char *line = command_line();
    unsigned length = 0;
    for (; *line; line++) {
        if (starts(line, key)) {
            while (*key) line++, key++;
            while (*line && *line != ' ' && length < sizeof word - 1) word[length++] = *line++;
            break;
        }
    }
    word[length] = 0;
    return word;
}

/* The shell */

static void read_line(char *line, unsigned size)
{
    unsigned length = 0, read = 0;
    for (;;) {
        char character = (char)serial_read();
        if (lose_every && ++read % (unsigned)lose_every == 0 && character != '\n' && character != 0x15) continue;
        if ((character == '\n' || character == '\r') && character != newline) continue;
        if (character == 0x15) { /* Ctrl-U */
            length = 0;
            print("\n");
            continue;
        }
        if (echo) {
            if (character == newline) print("\r\n");
            else serial_write((u8)character);
        }
        if (character == newline) break;
        if (length < size - 1) line[length++] = character;
    }
    line[length] = 0;
}

static const char *next_word(const char *line, char *word, unsigned size)
{
    unsigned length = 0;
    while (*line == ' ') line++;
    while (*line && *line != ' ' && length < size - 1) word[length++] = *line++;
    word[length] = 0;
    return line;
}

static void end(int status)
{
    print("\n[end ");
    print(nonce);
    print(" exit ");
    print_number(status);
    print("]\n");
}

static void play(const char *wanted)
{
    for (unsigned i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        if (same(scenarios[i].name, wanted)) {
            end(scenarios[i].play());
            return;
        }
    }
    print("Unknown command: ");
    print(wanted);
    print("\n");
    end(127);
}

static void run(const char *line)
{
    line = next_word(line, nonce, sizeof nonce);
    next_word(line, name, sizeof name);
    if (same(name, "mute")) halt();
    print("[begin ");
    print(nonce);
    print(" ");
    print(name);
    print("]\n");
    play(name);
}

static void suite(void)
{
    print("KTAP version 1\n1..4\nok 1 pass\nnot ok 2 fail\nok 3 skip # SKIP no framebuffer\n");
    print("    KTAP version 1\n    1..1\n    ok 1 inner\nok 4 silent\n");
    machine_power_off();
}

/* boot=half stops half-way, boot=panic dies, boot=mute reads nothing, boot=suite prints KTAP, boot=arg plays test=NAME,
 * boot=exit plays it and ends with its status through the exit device, boot=early boots on for some 200 ms
 * behind its prompt and prints it again, boot=chatty says meanwhile what it does; lose=N drops input, echo=0 does not echo,
 * newline=cr ends lines with a carriage return alone. `mute` is a scenario that hangs before its begin line. */
void guest_main(void)
{
    char line[256];
    const char *mode;

    serial_init();
    for (const char *digit = boot_word("lose="); *digit; digit++) lose_every = lose_every * 10 + (*digit - '0');
    echo = !same(boot_word("echo="), "0");
    if (same(boot_word("newline="), "cr")) newline = '\r';
    print("1[boot] guest is up\n");
    mode = boot_word("boot=");
    if (same(mode, "half")) halt();
    if (same(mode, "panic")) panic();
    if (same(mode, "suite")) suite();
    if (same(mode, "arg") || same(mode, "exit")) {
        int exits = same(mode, "exit");
        const char *given = boot_word("nonce=");
        for (unsigned i = 0; (nonce[i] = given[i]); i++) ;
        given = boot_word("test=");
        for (unsigned i = 0; (name[i] = given[i]); i++) ;
        if (exits) machine_exit(same(name, "pass") ? pass() : fail());
        print("[begin ");
        print(nonce);
        print(" ");
        print(name);
        print("]\n");
        play(name);
        machine_power_off();
    }
    print("> ");
    if (same(mode, "early") || same(mode, "chatty")) {
        for (int step = 0; step < 20; step++) {
            pause_a_while();
            if (same(mode, "chatty")) print("[boot] a driver is up\n");
        }
        print("[boot] the boot is over\n> ");
    }
    if (same(mode, "mute")) halt();
    for (;;) {
        read_line(line, sizeof line);
        if (starts(line, "run ")) run(line + 4);
        else if (line[0]) { print("Unknown command: "); print(line); print("\n"); }
        print("> ");
    }
}
