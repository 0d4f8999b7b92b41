/* What the guest needs of its machine; machine_aarch64.c and machine_x86_64.c supply it. */
#pragma once

void serial_init(void);
void serial_write(unsigned char byte);
unsigned char serial_read(void); /* waits */
void second_serial_write(unsigned char byte); /* nothing where the machine has one port */
int disk_read(char *sector);      /* the first 512 bytes of the first disk; 0 where there is none */
int disk_write(const char *sector);
const char *command_line(void);
void halt(void);                  /* interrupts off, for good */
void pause_a_while(void);         /* some ten milliseconds */
void machine_reset(void);
void machine_power_off(void);
void machine_exit(int status);    /* through QEMU's exit device */
void guest_main(void);
