/* ls: the program ls lists a directory's names, sorted, and with -l what they are. */
#include "test.h"

static char output[8192];

static void names_are_sorted(void) {
    CHECK_OK(mkdir("folder", 0755));
    write_file("folder/banana", "");
    write_file("folder/apple", "12345");
    write_file("folder/cherry", "");
    write_file("folder/.hidden", "");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", "folder", NULL), 0);
    CHECK_TEXT(output, "apple\nbanana\ncherry\n");
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", "-a", "folder", NULL), 0);
    CHECK_TEXT(output, ".hidden\napple\nbanana\ncherry\n");
    say("sorted, hidden names with -a");
}

static void without_a_path_it_is_the_current_directory(void) {
    CHECK_OK(chdir("folder"));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", NULL), 0);
    CHECK_TEXT(output, "apple\nbanana\ncherry\n");
    CHECK_OK(chdir(".."));
    say("the current directory");
}

static void files_are_listed_as_themselves(void) {
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", "folder/apple", NULL), 0);
    CHECK_TEXT(output, "folder/apple\n");
    CHECK_OK(mkdir("empty", 0755));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", "empty", NULL), 0);
    CHECK_TEXT(output, "");
    say("a file, an empty directory");
}

static void l_tells_type_permissions_links_and_size(void) {
    CHECK_OK(chmod("folder/apple", 0640));
    CHECK_OK(link("folder/apple", "folder/twin"));
    CHECK_OK(symlink("apple", "folder/soft"));
    CHECK_OK(mkdir("folder/inner", 0700));
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", "-l", "folder", NULL), 0);
    CHECK(strstr(output, "-rw-r-----  2        5 apple\n") != NULL);
    CHECK(strstr(output, "-rw-r-----  2        5 twin\n") != NULL);
    CHECK(strstr(output, "l") != NULL && strstr(output, " soft -> apple\n") != NULL);
    CHECK(strstr(output, "drwx------ ") != NULL);
    say("-l told a file, its twin, a link and a directory");
}

static void a_missing_path_is_told(void) {
    CHECK_EQUAL(WEXITSTATUS(capture(NULL, output, sizeof output, "ls", "missing", NULL)), 1);
    CHECK(strstr(output, "ls: missing: ") != NULL);
    say("status 1 and a message");
}

static void many_names_are_all_there(void) {
    char name[32];
    CHECK_OK(mkdir("many", 0755));
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "many/name-%03d", (i * 67) % 150);
        write_file(name, "");
    }
    CHECK_EQUAL(capture(NULL, output, sizeof output, "ls", "many", NULL), 0);
    CHECK_EQUAL(strlen(output), 150 * 9);
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "name-%03d\n", i);
        CHECK(starts_with(output + i * 9, name));
    }
    say("150 names in order");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    enter_scratch_directory();
    names_are_sorted();
    without_a_path_it_is_the_current_directory();
    files_are_listed_as_themselves();
    l_tells_type_permissions_links_and_size();
    a_missing_path_is_told();
    many_names_are_all_there();
    return test_pass();
}
