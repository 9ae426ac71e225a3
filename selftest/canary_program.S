/* The static canary as data of the program; see selftest.h. */
	.section .rodata
	.global canary_program, canary_program_size
	.balign 16
canary_program:
	.incbin CANARY
canary_program_end:
	.balign 8
canary_program_size:
	.quad canary_program_end - canary_program
	.section .note.GNU-stack, "", %progbits
