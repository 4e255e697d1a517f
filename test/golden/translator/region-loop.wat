;; Look how registers stay in locals, the budget is asked once a turn, and a page is looked up only when it is another; exits store what is dirty.
;;  again:
;;    ld a1, 0(a0)
;;    add a2, a2, a1
;;    addi a0, a0, 8
;;    bne a0, a3, again
;;    ret
(module
  (type (;0;) (func (param i32 i32 i32) (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (import "m" "table" (table (;0;) 8 funcref))
  (func $region (type 0) (param i32 i32 i32) (result i32)
    (local i32 i64 i64 i64 i64 i32 i64 i32 i64 i64 i64 i64 i32)
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
            (local.set 3
              (i32.load offset=DATA_BANK
                (local.get 0)))
            (local.set 9
              (i64.const 2048))
            (local.set 11
              (i64.load offset=80
                (local.get 0)))
            (local.set 12
              (i64.load offset=88
                (local.get 0)))
            (local.set 13
              (i64.load offset=96
                (local.get 0)))
            (local.set 14
              (i64.load offset=104
                (local.get 0)))
            (loop  ;; label = @4
              (if  ;; label = @5
                (i32.lt_s
                  (local.get 1)
                  (i32.const 4))
                (then
                  (br 2 (;@3;)
                    (i32.const 0))))
              (local.set 1
                (i32.sub
                  (local.get 1)
                  (i32.const 4)))
              (local.set 6
                (local.get 11))
              (if  ;; label = @5
                (i64.ne
                  (i64.and
                    (local.get 6)
                    (i64.const -4089))
                  (local.get 9))
                (then
                  (if  ;; label = @6
                    (i64.ne
                      (local.tee 9
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
                          (i64.const 7))
                        (i64.const -4096)))
                    (then
                      (br 3 (;@3;)
                        (i32.const 4))))
                  (local.set 10
                    (i32.load offset=8
                      (local.get 8)))
                  (i32.store offset=NOTES
                    (i32.const 0)
                    (i32.add
                      (i32.load offset=NOTES
                        (i32.const 0))
                      (i32.const 1)))))
              (local.set 12
                (i64.load
                  (i32.add
                    (i32.wrap_i64
                      (local.get 6))
                    (local.get 10))))
              (local.set 13
                (i64.add
                  (local.get 13)
                  (local.get 12)))
              (local.set 11
                (i64.add
                  (local.get 11)
                  (i64.const 8)))
              (br_if 0 (;@4;)
                (i64.ne
                  (local.get 11)
                  (local.get 14)))
              (i64.store offset=80
                (local.get 0)
                (local.get 11))
              (i64.store offset=88
                (local.get 0)
                (local.get 12))
              (i64.store offset=96
                (local.get 0)
                (local.get 13))
              (i64.store offset=PC
                (local.get 0)
                (i64.const 2147483664))
              (return_call_indirect (type 0)
                (local.get 0)
                (local.get 1)
                (local.get 2)
                (i32.const 9)))
            (unreachable)))
        (i64.store offset=80
          (local.get 0)
          (local.get 11))
        (i64.store offset=88
          (local.get 0)
          (local.get 12))
        (i64.store offset=96
          (local.get 0)
          (local.get 13))
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
