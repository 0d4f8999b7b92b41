/* fbinfo: the framebuffer tells its geometry, and the numbers fit together. */
#include "test.h"

#define FBIOGET_VSCREENINFO 0x4600
#define FBIOGET_FSCREENINFO 0x4602

struct fb_bitfield {
    uint32_t offset, length, msb_right;
};

struct fb_var_screeninfo {
    uint32_t xres, yres, xres_virtual, yres_virtual, xoffset, yoffset, bits_per_pixel, grayscale;
    struct fb_bitfield red, green, blue, transp;
    uint32_t nonstd, activate, height, width, accel_flags, timing[9], rotate, colorspace, reserved[4];
};

struct fb_fix_screeninfo {
    char id[16];
    unsigned long smem_start;
    uint32_t smem_len, type, type_aux, visual;
    uint16_t xpanstep, ypanstep, ywrapstep;
    uint32_t line_length;
    unsigned long mmio_start;
    uint32_t mmio_len, accel;
    uint16_t capabilities, reserved[2];
};

static struct fb_var_screeninfo variable;
static struct fb_fix_screeninfo fixed;

static void the_sizes_make_sense(int fd) {
    CHECK_OK(ioctl(fd, FBIOGET_VSCREENINFO, &variable));
    CHECK(variable.xres >= 64 && variable.xres <= 16384);
    CHECK(variable.yres >= 64 && variable.yres <= 16384);
    CHECK(variable.xres_virtual >= variable.xres);
    CHECK(variable.yres_virtual >= variable.yres);
    CHECK(variable.bits_per_pixel == 8 || variable.bits_per_pixel == 16 || variable.bits_per_pixel == 24 ||
          variable.bits_per_pixel == 32);
    say("%u by %u, %u bits a pixel", variable.xres, variable.yres, variable.bits_per_pixel);
}

static void the_memory_holds_the_picture(int fd) {
    CHECK_OK(ioctl(fd, FBIOGET_FSCREENINFO, &fixed));
    CHECK(fixed.line_length >= variable.xres * variable.bits_per_pixel / 8);
    CHECK(fixed.smem_len >= fixed.line_length * variable.yres);
    CHECK(memchr(fixed.id, '\0', sizeof fixed.id) != NULL);
    say("'%s': %u bytes a line, %u in all", fixed.id, fixed.line_length, fixed.smem_len);
}

static void the_colours_fit_into_a_pixel(void) {
    const struct fb_bitfield *fields[] = { &variable.red, &variable.green, &variable.blue };
    for (int i = 0; i < 3; i++) {
        CHECK(fields[i]->length > 0);
        CHECK(fields[i]->offset + fields[i]->length <= variable.bits_per_pixel);
    }
    say("red, green and blue lie in the pixel");
}

static void wrong_requests_are_refused(int fd) {
    CHECK(ioctl(fd, 0x46ff, &variable) == -1);
    CHECK(errno == ENOTTY || errno == EINVAL);
    CHECK_ERRNO(ioctl(fd, FBIOGET_VSCREENINFO, (void *)8), EFAULT);
    say("an unknown request and a bad address are refused");
}

int main(int argc, char **argv) {
    test_begin(argc, argv);
    int fd = open("/dev/fb0", O_RDONLY);
    if (fd < 0) test_skip("/dev/fb0: errno %d (%s)", errno, errno_name(errno));
    the_sizes_make_sense(fd);
    the_memory_holds_the_picture(fd);
    the_colours_fit_into_a_pixel();
    wrong_requests_are_refused(fd);
    return test_pass();
}
