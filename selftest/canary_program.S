/* The static canary as data of the program; see selftest.h. */
	.section .rodata
	.global canary_program, canary_program_end
	.balign 16
canary_program:
	.incbin CANARY
canary_program_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
