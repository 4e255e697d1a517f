;; Look how registers are stored before the call; behind it the pc and the cell are asked, and what is needed is loaded again.
;;    addi sp, sp, -16
;;    sd ra, 8(sp)
;;    sd s0, 0(sp)
;;    mv s0, a0
;;    beqz a0, leaf
;;    addi a0, a0, -1
;;    call function
;;    add a0, a0, s0
;;  leaf:
;;    ld ra, 8(sp)
;;    ld s0, 0(sp)
;;    addi sp, sp, 16
;;    ret
;;    .balign 64
;;  function:
(module
  (type (;0;) (func (param i32 i32 i32) (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (import "m" "table" (table (;0;) 8 funcref))
  (func $region (type 0) (param i32 i32 i32) (result i32)
    (local i32 i64 i64 i64 i64 i32 i64 i64 i64 i64 i32 i32 i32)
    (block  ;; label = @1
      (block  ;; label = @2
        (local.set 15
          (block (result i32)  ;; label = @3
            (br_if 2 (;@1;)
              (i32.eqz
                (i32.and
                  (i32.load offset=CELL
                    (i32.const 0))
                  (i32.load offset=CODE_BIT
                    (local.get 0)))))
            (br_if 2 (;@1;)
              (i64.ne
                (i64.load offset=PC
                  (local.get 0))
                (i64.const 2147483648)))
            (if  ;; label = @4
              (i32.lt_s
                (local.get 1)
                (i32.const 9))
              (then
                (br 1 (;@3;)
                  (i32.const 0))))
            (local.set 3
              (i32.load offset=DATA_BANK
                (local.get 0)))
            (local.set 9
              (i64.load offset=8
                (local.get 0)))
            (local.set 10
              (i64.load offset=16
                (local.get 0)))
            (local.set 11
              (i64.load offset=64
                (local.get 0)))
            (local.set 12
              (i64.load offset=80
                (local.get 0)))
            (block  ;; label = @4
              (local.set 1
                (i32.sub
                  (local.get 1)
                  (i32.const 5)))
              (local.set 10
                (i64.add
                  (local.get 10)
                  (i64.const -16)))
              (local.set 6
                (local.get 10))
              (if  ;; label = @5
                (i64.ne
                  (local.tee 7
                    (i64.load offset=65536
                      (local.tee 8
                        (i32.add
                          (i32.and
                            (i32.shr_u
                              (i32.wrap_i64
                                (local.get 6))
                              (i32.const 8))
                            (i32.const ENTRIES_MASK))
                          (local.get 3)))))
                  (i64.and
                    (i64.add
                      (local.get 6)
                      (i64.const 15))
                    (i64.const -4096)))
                (then
                  (if  ;; label = @6
                    (i64.ne
                      (i64.and
                        (i64.add
                          (local.get 6)
                          (i64.const 15))
                        (i64.const -4096))
                      (i64.and
                        (local.get 6)
                        (i64.const -4096)))
                    (then
                      (i32.store offset=1646660
                        (i32.const 0)
                        (i32.add
                          (i32.load offset=1646660
                            (i32.const 0))
                          (i32.const 1)))))
                  (br 2 (;@3;)
                    (i32.const 131588))))
              (local.set 8
                (i32.add
                  (i32.wrap_i64
                    (local.get 6))
                  (i32.load offset=65544
                    (local.get 8))))
              (if  ;; label = @5
                (i32.load8_u offset=FLAGS_BIAS
                  (i32.shr_u
                    (local.get 8)
                    (i32.const 12)))
                (then
                  (br 2 (;@3;)
                    (i32.const 131588))))
              (i64.store offset=8
                (local.tee 13
                  (local.get 8))
                (local.get 9))
              (i64.store
                (local.get 13)
                (local.get 11))
              (local.set 11
                (local.get 12))
              (br_if 0 (;@4;)
                (i64.eqz
                  (local.get 12)))
              (local.set 1
                (i32.sub
                  (local.get 1)
                  (i32.const 3)))
              (local.set 12
                (i64.add
                  (local.get 12)
                  (i64.const -1)))
              (local.set 9
                (i64.add
                  (i64.const 2147483672)
                  (i64.const 0)))
              (if  ;; label = @5
                (i32.ge_s
                  (local.get 2)
                  (i32.const 120))
                (then
                  (br 2 (;@3;)
                    (i32.const 918529))))
              (local.set 4
                (i64.and
                  (i64.add
                    (local.get 9)
                    (i64.const 40))
                  (i64.const -2)))
              (local.set 9
                (i64.const 2147483680))
              (i64.store offset=8
                (local.get 0)
                (local.get 9))
              (i64.store offset=16
                (local.get 0)
                (local.get 10))
              (i64.store offset=64
                (local.get 0)
                (local.get 11))
              (i64.store offset=80
                (local.get 0)
                (local.get 12))
              (i64.store offset=PC
                (local.get 0)
                (local.get 4))
              (local.set 1
                (call_indirect (type 0)
                  (local.get 0)
                  (local.get 1)
                  (i32.add
                    (local.get 2)
                    (i32.const 1))
                  (select
                    (i32.load offset=73736
                      (local.tee 8
                        (i32.shl
                          (i32.and
                            (i32.xor
                              (i32.shr_u
                                (i32.wrap_i64
                                  (local.get 4))
                                (i32.const 1))
                              (i32.shr_u
                                (i32.wrap_i64
                                  (local.get 4))
                                (i32.const 15)))
                            (i32.const 65535))
                          (i32.const 4))))
                    (i32.const 0)
                    (i64.eq
                      (i64.load offset=JUMP_CACHE
                        (local.get 8))
                      (local.get 4)))))
              (if  ;; label = @5
                (i32.or
                  (i64.ne
                    (i64.load offset=PC
                      (local.get 0))
                    (i64.const 2147483680))
                  (i32.eqz
                    (i32.and
                      (i32.load offset=CELL
                        (i32.const 0))
                      (i32.load offset=CODE_BIT
                        (local.get 0)))))
                (then
                  (return
                    (local.get 1))))
              (if  ;; label = @5
                (i32.lt_s
                  (local.get 1)
                  (i32.const 5))
                (then
                  (br 2 (;@3;)
                    (i32.const 1048576))))
              (local.set 3
                (i32.load offset=DATA_BANK
                  (local.get 0)))
              (local.set 10
                (i64.load offset=16
                  (local.get 0)))
              (local.set 11
                (i64.load offset=64
                  (local.get 0)))
              (local.set 12
                (i64.load offset=80
                  (local.get 0)))
              (local.set 1
                (i32.sub
                  (local.get 1)
                  (i32.const 1)))
              (local.set 12
                (i64.add
                  (local.get 12)
                  (local.get 11)))
              (br 0 (;@4;)))
            (local.set 1
              (i32.sub
                (local.get 1)
                (i32.const 4)))
            (local.set 6
              (local.get 10))
            (if  ;; label = @4
              (i64.ne
                (local.tee 7
                  (i64.load
                    (local.tee 8
                      (i32.add
                        (i32.and
                          (i32.shr_u
                            (i32.wrap_i64
                              (local.get 6))
                            (i32.const 8))
                          (i32.const ENTRIES_MASK))
                        (local.get 3)))))
                (i64.and
                  (i64.add
                    (local.get 6)
                    (i64.const 15))
                  (i64.const -4096)))
              (then
                (if  ;; label = @5
                  (i64.ne
                    (i64.and
                      (i64.add
                        (local.get 6)
                        (i64.const 15))
                      (i64.const -4096))
                    (i64.and
                      (local.get 6)
                      (i64.const -4096)))
                  (then
                    (i32.store offset=1646660
                      (i32.const 0)
                      (i32.add
                        (i32.load offset=1646660
                          (i32.const 0))
                        (i32.const 1)))))
                (br 1 (;@3;)
                  (i32.const 1181188))))
            (local.set 9
              (i64.load offset=8
                (local.tee 14
                  (i32.add
                    (i32.wrap_i64
                      (local.get 6))
                    (i32.load offset=8
                      (local.get 8))))))
            (local.set 11
              (i64.load
                (local.get 14)))
            (local.set 10
              (i64.add
                (local.get 10)
                (i64.const 16)))
            (local.set 4
              (i64.and
                (i64.add
                  (local.get 9)
                  (i64.const 0))
                (i64.const -2)))
            (i64.store offset=8
              (local.get 0)
              (local.get 9))
            (i64.store offset=16
              (local.get 0)
              (local.get 10))
            (i64.store offset=64
              (local.get 0)
              (local.get 11))
            (i64.store offset=80
              (local.get 0)
              (local.get 12))
            (i64.store offset=PC
              (local.get 0)
              (local.get 4))
            (return
              (local.get 1))
            (unreachable)))
        (block  ;; label = @3
          (block  ;; label = @4
            (block  ;; label = @5
              (block  ;; label = @6
                (block  ;; label = @7
                  (br_table 3 (;@4;) 2 (;@5;) 0 (;@7;) 1 (;@6;) 3 (;@4;)
                    (i32.and
                      (i32.shr_u
                        (local.get 15)
                        (i32.const 9))
                      (i32.const 127))))
                (i64.store offset=8
                  (local.get 0)
                  (local.get 9)))
              (i64.store offset=64
                (local.get 0)
                (local.get 11))
              (i64.store offset=80
                (local.get 0)
                (local.get 12)))
            (i64.store offset=16
              (local.get 0)
              (local.get 10)))
          (br 0 (;@3;)))
        (if  ;; label = @3
          (i32.and
            (i32.or
              (i32.load offset=NOTES
                (i32.const 0))
              (i32.load offset=1646660
                (i32.const 0)))
            (i32.const -4096))
          (then
            (i32.store offset=CELL
              (i32.const 0)
              (i32.const 0))))
        (i64.store offset=PC
          (local.get 0)
          (i64.add
            (i64.shl
              (i64.extend_i32_s
                (i32.shr_s
                  (local.get 15)
                  (i32.const 16)))
              (i64.const 1))
            (i64.const 2147483648)))
        (local.set 1
          (i32.add
            (local.get 1)
            (i32.and
              (local.get 15)
              (i32.const 511))))
        (return_call_indirect (type 0)
          (local.get 0)
          (local.get 1)
          (i32.or
            (local.get 2)
            (i32.const 65536))
          (i32.const 0))))
    (return_call_indirect (type 0)
      (local.get 0)
      (local.get 1)
      (local.get 2)
      (i32.const 0)))
  (elem (;0;) (i32.const 8) func 0))
