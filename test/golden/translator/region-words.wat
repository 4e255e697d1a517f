;; Look how what is known to hold words is i32 in the loop, and extended at exits: a1 and a2 become i32 on the way in. a3, which is read as a whole behind the loop, is extended at once; a4 and a5, of which nothing is known on the way in, at the end of each turn.
;;    lw a1, 0(a0)
;;    li a2, 0
;;  again:
;;    srliw a3, a1, 7
;;    slliw a4, a1, 25
;;    or a3, a3, a4
;;    addiw a5, a5, -1
;;    addw a2, a2, a3
;;    xor a1, a1, a2
;;    bnez a5, again
;;    add a0, a0, a3
;;    sw a2, 4(sp)
;;    ret
(module
  (type (;0;) (func (param i32 i32 i32) (result i32)))
  (import "m" "memory" (memory (;0;) 1))
  (import "m" "table" (table (;0;) 8 funcref))
  (func $region (type 0) (param i32 i32 i32) (result i32)
    (local i32 i64 i64 i64 i64 i32 i64 i64 i64 i64 i64 i64 i64 i64 i32 i32 i32 i32 i32 i32)
    (block  ;; label = @1
      (block  ;; label = @2
        (local.set 22
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
                (i32.const 2))
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
              (i64.load offset=80
                (local.get 0)))
            (local.set 12
              (i64.load offset=104
                (local.get 0)))
            (local.set 13
              (i64.load offset=112
                (local.get 0)))
            (local.set 14
              (i64.load offset=120
                (local.get 0)))
            (local.set 1
              (i32.sub
                (local.get 1)
                (i32.const 2)))
            (local.set 6
              (local.get 11))
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
                    (i64.const 3))
                  (i64.const -4096)))
              (then
                (br 1 (;@3;)
                  (i32.const 2))))
            (local.set 15
              (i64.load32_s
                (i32.add
                  (i32.wrap_i64
                    (local.get 6))
                  (i32.load offset=8
                    (local.get 8)))))
            (local.set 16
              (i64.const 0))
            (local.set 17
              (i32.wrap_i64
                (local.get 15)))
            (local.set 18
              (i32.wrap_i64
                (local.get 16)))
            (loop  ;; label = @4
              (if  ;; label = @5
                (i32.lt_s
                  (local.get 1)
                  (i32.const 10))
                (then
                  (br 2 (;@3;)
                    (i32.const 262656))))
              (local.set 1
                (i32.sub
                  (local.get 1)
                  (i32.const 7)))
              (local.set 19
                (i32.shr_u
                  (local.get 17)
                  (i32.const 7)))
              (local.set 20
                (i32.shl
                  (local.get 17)
                  (i32.const 25)))
              (local.set 12
                (i64.extend_i32_s
                  (i32.or
                    (local.get 19)
                    (local.get 20))))
              (local.set 21
                (i32.add
                  (i32.wrap_i64
                    (local.get 14))
                  (i32.const -1)))
              (local.set 18
                (i32.add
                  (local.get 18)
                  (i32.wrap_i64
                    (local.get 12))))
              (local.set 17
                (i32.xor
                  (local.get 17)
                  (local.get 18)))
              (local.set 13
                (i64.extend_i32_s
                  (local.get 20)))
              (local.set 14
                (i64.extend_i32_s
                  (local.get 21)))
              (br_if 0 (;@4;)
                (local.get 21))
              (local.set 1
                (i32.sub
                  (local.get 1)
                  (i32.const 3)))
              (local.set 11
                (i64.add
                  (local.get 11)
                  (local.get 12)))
              (local.set 6
                (i64.add
                  (local.get 10)
                  (i64.const 4)))
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
                      (i64.const 3))
                    (i64.const -4096)))
                (then
                  (br 2 (;@3;)
                    (i32.const 1311746))))
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
                    (i32.const 1311746))))
              (i64.store32
                (local.get 8)
                (i64.extend_i32_s
                  (local.get 18)))
              (local.set 4
                (i64.and
                  (i64.add
                    (local.get 9)
                    (i64.const 0))
                  (i64.const -2)))
              (i64.store offset=80
                (local.get 0)
                (local.get 11))
              (i64.store offset=104
                (local.get 0)
                (local.get 12))
              (i64.store offset=88
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 17)))
              (i64.store offset=96
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 18)))
              (i64.store offset=112
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 20)))
              (i64.store offset=120
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 21)))
              (i64.store offset=PC
                (local.get 0)
                (local.get 4))
              (return
                (local.get 1)))
            (unreachable)))
        (block  ;; label = @3
          (block  ;; label = @4
            (block  ;; label = @5
              (block  ;; label = @6
                (br_table 1 (;@5;) 2 (;@4;) 0 (;@6;) 1 (;@5;)
                  (i32.and
                    (i32.shr_u
                      (local.get 22)
                      (i32.const 9))
                    (i32.const 127))))
              (i64.store offset=80
                (local.get 0)
                (local.get 11))
              (i64.store offset=104
                (local.get 0)
                (local.get 12))
              (i64.store offset=88
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 17)))
              (i64.store offset=96
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 18)))
              (i64.store offset=112
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 20)))
              (i64.store offset=120
                (local.get 0)
                (i64.extend_i32_s
                  (local.get 21))))
            (br 1 (;@3;)))
          (i64.store offset=104
            (local.get 0)
            (local.get 12))
          (i64.store offset=112
            (local.get 0)
            (local.get 13))
          (i64.store offset=120
            (local.get 0)
            (local.get 14))
          (i64.store offset=88
            (local.get 0)
            (i64.extend_i32_s
              (local.get 17)))
          (i64.store offset=96
            (local.get 0)
            (i64.extend_i32_s
              (local.get 18)))
          (br 0 (;@3;)))
        (i64.store offset=PC
          (local.get 0)
          (i64.add
            (i64.shl
              (i64.extend_i32_s
                (i32.shr_s
                  (local.get 22)
                  (i32.const 16)))
              (i64.const 1))
            (i64.const 2147483648)))
        (local.set 1
          (i32.add
            (local.get 1)
            (i32.and
              (local.get 22)
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
